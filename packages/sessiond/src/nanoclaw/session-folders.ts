import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'
import { V2_SESSION_PREFIX } from './installation.ts'

/** Folders of groups with the folders in them, by name. Throws REFERENCES_UNREADABLE; none at all is an empty tree. */
export async function listFolders(folder: string): Promise<Map<string, readonly string[]>> {
  const groups = await foldersIn(folder)
  return new Map(await Promise.all(groups.map(async (group) => [group, await foldersIn(join(folder, group))] as const)))
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
async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new SessiondError('REFERENCES_UNREADABLE', `The folder ${folder} cannot be read.`, {
      fields: { folder },
      cause: error,
    })
  }
}
