import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Layout } from '../../src/nanoclaw/installation.ts'
import type { ReaderLimits } from '../../src/nanoclaw/installation-reader.ts'
import { openInstallation } from '../../src/nanoclaw/open-installation.ts'
import { type InstallationOutcome, pruneInstallation } from '../../src/nanoclaw/prune-installation.ts'
import type { ArtifactFiles } from '../../src/prune/artifact-files.ts'
import { createArtifactFiles } from '../../src/prune/files/create-artifact-files.ts'
import { realWorld } from '../../src/world.ts'
import { type CliResult, runInside, startOutside } from '../cli/cli-harness.ts'

/** An empty root of an installation; removed at the end. */
export async function makeRoot(): Promise<AsyncDisposable & { readonly root: string; has(path: string): boolean }> {
  const dir = await mkdtemp(join(tmpdir(), 'sessiond-nanoclaw-'))
  const root = join(dir, 'nanoclaw')
  mkdirSync(root)
  return {
    root,
    has: (path) => existsSync(join(root, path)),
    async [Symbol.asyncDispose]() {
      // What a test has closed keeps its owner from removing it.
      execFileSync('chmod', ['-R', 'u+rwX', dir])
      await rm(dir, { recursive: true, force: true })
    },
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
  return answerOf(root, await runInside(root, ['prune', '--layout', layout, root, '--json', ...args]))
}

/** What `sessiond prune --layout … --json` left behind. */
export function answerOf(root: string, { code, stdout, stderr }: CliResult): PruneAnswer {
  const error = code === 0 ? null : JSON.parse(stderr).error
  const result = stdout === '' ? null : JSON.parse(stdout)
  const removals: { root: string; path: string }[] = result?.removals ?? []
  const planned = removals.map((removal) => join(removal.root, removal.path).slice(root.length + 1)).sort()
  return { code, planned, result, error: error?.code ?? null, message: error?.message ?? '' }
}

export interface Meanwhile {
  readonly limits?: Partial<ReaderLimits>
  readonly interrupted?: AbortSignal
}

/** Prunes while something happens between the plan and its apply. */
export async function pruneMeanwhile(
  root: string,
  layout: Layout,
  happens: () => void,
  { limits = {}, interrupted = new AbortController().signal }: Meanwhile = {},
): Promise<InstallationOutcome> {
  await using reader = await openInstallation(root, layout, realWorld, limits)
  const files = createArtifactFiles({ world: realWorld })
  const between: ArtifactFiles = {
    plan: async (request) => {
      const plan = await files.plan(request)
      if (plan.removals.length > 0) happens()
      return plan
    },
    apply: (request) => files.apply(request),
    close: () => files.close(),
  }
  const common = { reader, layout, files: between, world: realWorld, removesOrphans: false }
  try {
    const deps = { ...common, interrupted, onRead: () => {} }
    return await pruneInstallation(deps, { putsAside: false, onWait: () => {}, onProgress: () => {} })
  } finally {
    await files.close()
  }
}

/** What sets root above permissions is taken from it. */
const WITHOUT_CAPABILITIES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all']

/** Runs a command as somebody for whom permissions count, and who owns all there is. */
export async function runAsOwner(root: string, args: readonly string[]): Promise<CliResult> {
  if (process.getuid?.() !== 0) return runInside(root, args)
  await using command = startOutside(root, args, {}, 'ignore', WITHOUT_CAPABILITIES)
  return await command.ended()
}

/** Has a database changed by somebody else. */
export function exec(file: string, sql: string): void {
  using db = new DatabaseSync(file)
  db.exec(sql)
}

/** What can be seen of a tree: names, kinds, times of change, modes and contents. */
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
