import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { lookAt } from '../mailbox/host-files.ts'
import { SessiondError } from '../model/errors.ts'
import type { World } from '../world.ts'
import { CENTRAL, type Layout, SESSIONS } from './installation.ts'
import { InstallationReader, type ReaderLimits } from './installation-reader.ts'
import { isRealFolder } from './real-folder.ts'
import { unreadable } from './unreadable.ts'

/**
 * Opens the installation at `root`, which may be reached through links but holds none on the way to its parts. Throws
 * INSTALLATION_UNREADABLE when there is none of this layout; writes nothing.
 */
export async function openInstallation(
  root: string,
  layout: Layout,
  world: World,
  limits: Partial<ReaderLimits> = {},
): Promise<InstallationReader> {
  const real = await realRoot(root)
  for (const folders of [CENTRAL[layout].slice(0, -1), SESSIONS[layout], ['groups']]) checkFolders(real, folders)
  const database = join(real, ...CENTRAL[layout])
  if (look(database, real) === undefined) {
    throw failure(`${real} holds no installation of ${layout}: there is no ${CENTRAL[layout].join('/')}.`, real)
  }
  return InstallationReader.open(real, world, limits)
}

async function realRoot(root: string): Promise<string> {
  const real = await realpath(root).catch((cause) => {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(Reflect.get(cause, 'code'))
    throw failure(isMissing ? `There is no folder ${root}.` : unreadable(root, cause).message, root, cause)
  })
  if (look(real, root)?.isDirectory() !== true) throw failure(`${root} is no folder.`, root)
  return real
}

function checkFolders(root: string, folders: readonly string[]): void {
  try {
    isRealFolder(root, folders)
  } catch (cause) {
    throw failure(unreadable(join(root, ...folders), cause).message, root, cause)
  }
}

function look(path: string, root: string) {
  try {
    return lookAt(path)
  } catch (cause) {
    throw failure(unreadable(path, cause).message, root, cause)
  }
}

function failure(what: string, root: string, cause?: unknown): SessiondError {
  return new SessiondError('INSTALLATION_UNREADABLE', what, {
    fields: { root },
    ...(cause === undefined ? {} : { cause }),
  })
}
