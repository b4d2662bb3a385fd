import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

/** What is hostile may hold any number of files. */
const MAX_FILES = 20_000
const MAX_DEPTH = 32

/** Counts the bytes below some folders, following no link; gives up, and says so, after `maxMs` or many files. */
export async function measureDisk(
  folders: readonly string[],
  maxMs: number,
): Promise<{ bytes: number; files: number; isWhole: boolean }> {
  const endMs = performance.now() + maxMs
  const pending = folders.map((path) => ({ path, depth: 0 }))
  let bytes = 0
  let files = 0
  let isWhole = true
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      for await (const entry of await opendir(next.path)) {
        if (files >= MAX_FILES || performance.now() > endMs) return { bytes, files, isWhole: false }
        const path = join(next.path, entry.name)
        if (entry.isDirectory()) {
          if (next.depth < MAX_DEPTH) pending.push({ path, depth: next.depth + 1 })
          else isWhole = false
        } else {
          files += 1
          bytes += (await lstat(path)).size
        }
      }
    } catch {
      // Gone or forbidden meanwhile.
      isWhole = false
    }
  }
  return { bytes, files, isWhole }
}
