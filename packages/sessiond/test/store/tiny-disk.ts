import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small file system of its own that can be filled up and freed. */
export interface TinyDisk extends Disposable {
  readonly path: string
  /** Takes all the space there is. */
  fill(): void
  /** Gives back what `fill` took. */
  free(): void
}

/** Mounts a tmpfs of `bytes`; unmounted and gone when disposed of. */
export function useTinyDisk(bytes: number): TinyDisk {
  const path = mkdtempSync(join(tmpdir(), 'sessiond-tiny-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path])
  const ballast = join(path, '.ballast')
  return {
    path,
    fill: () => fill(ballast),
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      // Lazily: a test that failed with files open must not leave the mount behind.
      execFileSync('umount', ['-l', path])
      rmdirSync(path)
    },
  }
}

/** Only root may mount, and only where the kernel lets it (not in every container). */
useTinyDisk.isPossible = canMount()

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    useTinyDisk(64 * 1024)[Symbol.dispose]()
    return true
  } catch {
    // No permission to mount here: the tests that need it use a page limit instead.
    return false
  }
}

function fill(ballast: string): void {
  const file = openSync(ballast, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
}
