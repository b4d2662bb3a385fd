import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInside } from '../cli/cli-harness.ts'

/** An empty root of an installation; removed at the end. */
export async function makeRoot(): Promise<AsyncDisposable & { readonly root: string; has(path: string): boolean }> {
  const dir = await mkdtemp(join(tmpdir(), 'sessiond-nanoclaw-'))
  const root = join(dir, 'nanoclaw')
  mkdirSync(root)
  return {
    root,
    has: (path) => existsSync(join(root, path)),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

export interface PruneAnswer {
  readonly code: number
  /** Paths below the root that a plan removes, sorted. */
  readonly planned: readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: what a command printed
  readonly result: any
  /** Code of the error, when there was one. */
  readonly error: string | null
  readonly message: string
}

/** Runs `sessiond prune --layout` with `--json`. */
export async function prune(root: string, layout: string, ...args: string[]): Promise<PruneAnswer> {
  const { code, stdout, stderr } = await runInside(root, ['prune', '--layout', layout, root, '--json', ...args])
  const error = code === 0 ? null : JSON.parse(stderr).error
  const result = stdout === '' ? null : JSON.parse(stdout)
  const removals: { root: string; path: string }[] = result?.removals ?? []
  const planned = removals.map((removal) => join(removal.root, removal.path).slice(root.length + 1)).sort()
  return { code, planned, result, error: error?.code ?? null, message: error?.message ?? '' }
}

/** Everything that can be seen of a tree: names, kinds, times, modes and contents. */
export function snapshot(folder: string): string[] {
  const seen = lstatSync(folder, { bigint: true })
  const facts = `${folder} ${seen.mode} ${seen.ino} ${seen.size} ${seen.mtimeNs} ${seen.ctimeNs}`
  if (seen.isSymbolicLink()) return [`${facts} -> ${readlinkSync(folder)}`]
  if (seen.isDirectory()) {
    return [
      facts,
      ...readdirSync(folder)
        .sort()
        .flatMap((name) => snapshot(join(folder, name))),
    ]
  }
  if (!seen.isFile()) return [facts]
  return [`${facts} ${createHash('sha256').update(readFileSync(folder)).digest('hex')}`]
}
