import { opendirSync } from 'node:fs'
import { join } from 'node:path'
import { lookAt } from '../mailbox/host-files.ts'
import { Unreadable, unreadable } from './unreadable.ts'

/** Folders of one kind in an installation, and names in a folder, that are looked at; more is no installation. */
const MAX_NAMES = 100_000

/**
 * Walks from `root` down through `segments`, each of which must be a real folder: a link would lead out of the
 * installation (G3). False: one of them is missing.
 */
export function isRealFolder(root: string, segments: readonly string[]): boolean {
  let path = root
  for (const segment of segments) {
    path = join(path, segment)
    const seen = lookAt(path)
    if (seen === undefined) return false
    if (!seen.isDirectory()) throw new Unreadable(`${path} is not a real folder.`)
  }
  return true
}

/** Names of the real folders below one that is there; links and files are passed over. */
export function listFolders(root: string, segments: readonly string[]): string[] {
  if (!isRealFolder(root, segments)) return []
  const path = join(root, ...segments)
  try {
    const folder = opendirSync(path)
    try {
      const names: string[] = []
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        if (!entry.isDirectory()) continue
        if (names.length >= MAX_NAMES) throw new Unreadable(`${path} holds more than ${MAX_NAMES} folders.`)
        names.push(entry.name)
      }
      return names.sort()
    } finally {
      folder.closeSync()
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}
