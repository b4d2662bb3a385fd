import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** File systems in memory: what they acknowledge is not on any disk. */
const MEMORY_TYPES = new Set([0x01021994, 0x858458f6])
/** Ignored by git. */
const IN_CHECKOUT = fileURLToPath(new URL('../../../.sessiond/', import.meta.url))

/** A directory on a real disk for everything a benchmark writes. */
export interface Scratch extends AsyncDisposable {
  readonly dir: string
  newDir(prefix: string): Promise<string>
}

/** Below the system's temporary directory, unless that is in memory: then in the checkout. */
export async function makeScratch(): Promise<Scratch> {
  const parent = MEMORY_TYPES.has((await statfs(tmpdir())).type) ? IN_CHECKOUT : tmpdir()
  await mkdir(parent, { recursive: true })
  const dir = await mkdtemp(join(parent, 'sessiond-bench-'))
  return {
    dir,
    newDir: (prefix) => mkdtemp(join(dir, `${prefix}-`)),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }),
  }
}
