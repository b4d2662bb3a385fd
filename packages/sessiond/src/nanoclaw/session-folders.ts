import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'
import { V2_SESSION_PREFIX } from './installation.ts'

/** Folders of groups with the folders in them, by name. Throws REFERENCES_UNREADABLE; none at all is an empty tree. */
export async function listFolders(folder: string): Promise<Map<string, readonly string[]>> {
  const { folders, unreadable } = await findFolders(folder)
  const [first] = unreadable
  if (first === undefined) return folders
  throw new SessiondError('REFERENCES_UNREADABLE', `The folder ${first.folder} cannot be read.`, {
    fields: { folder: first.folder },
    cause: first.cause,
  })
}

export interface FoundFolders {
  readonly folders: Map<string, readonly string[]>
  /** Nobody can say what lies in these. */
  readonly unreadable: readonly { readonly folder: string; readonly cause: unknown }[]
}

/** The same as far as it can be read. */
export async function findFolders(folder: string): Promise<FoundFolders> {
  const groups = await foldersIn(folder)
  const found = await Promise.all(
    groups.names.map(async (name) => [name, await foldersIn(join(folder, name))] as const),
  )
  const folders = new Map(found.map(([name, { names }]) => [name, names]))
  return { folders, unreadable: [groups, ...found.map(([, seen]) => seen)].flatMap(({ unreadable }) => unreadable) }
}

/** `<group>/<folder>` of all of them. */
export function placesOf(folders: ReadonlyMap<string, readonly string[]>): string[] {
  return [...folders].flatMap(([group, names]) => names.map((name) => `${group}/${name}`))
}

/** Of these, the session folders that are not on record, sorted: by their names, which those of a group do not have. */
export function orphansOf(places: readonly string[], isKnown: (place: string) => boolean): string[] {
  return places.filter((place) => place.includes(`/${V2_SESSION_PREFIX}`) && !isKnown(place)).sort()
}

/** Links are not followed: what is behind one is no part of the installation. */
async function foldersIn(folder: string): Promise<{ names: readonly string[] } & Pick<FoundFolders, 'unreadable'>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return { names: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name), unreadable: [] }
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    return { names: [], unreadable: isMissing ? [] : [{ folder, cause }] }
  }
}
