import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SessiondError } from '../model/errors.ts'
import { V2_SESSION_PREFIX } from './installation.ts'

/** Folders of groups with the session folders in them. Throws REFERENCES_UNREADABLE; none at all is an empty tree. */
export async function listSessionFolders(folder: string): Promise<Map<string, readonly string[]>> {
  const groups = await foldersIn(folder)
  const pairs = groups.map(async (group) => {
    const names = await foldersIn(join(folder, group))
    return [group, names.filter((name) => name.startsWith(V2_SESSION_PREFIX))] as const
  })
  return new Map(await Promise.all(pairs))
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
