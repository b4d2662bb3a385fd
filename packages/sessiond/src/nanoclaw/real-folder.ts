import { join } from 'node:path'
import { lookAt } from '../mailbox/host-files.ts'
import { Unreadable } from './unreadable.ts'

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
