import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ActiveReferences, ArtifactClass, PrunePlan } from '../../src/model/artifact.ts'
import type { AppliedRemovals, ApplyRequest, ArtifactFiles, PlanRequest } from '../../src/prune/artifact-files.ts'
import { createArtifactFiles } from '../../src/prune/files/create-artifact-files.ts'
import type { PlanLimits } from '../../src/prune/files/messages.ts'
import { realWorld } from '../../src/world.ts'

export const DAY_MS = 86_400_000
/** What is made is as old as this unless it says otherwise; rules remove after a day. */
export const OLD_MS = 10 * DAY_MS

/** A folder that is pruned, one beside it that nothing may touch, and the pruner. */
export interface PruneBed extends AsyncDisposable {
  readonly dir: string
  readonly root: string
  readonly outside: string
  readonly files: ArtifactFiles
  /** Makes a file below the root, so old. */
  write(path: string, options?: { readonly ageMs?: number; readonly text?: string }): string
  plan(rules: readonly ArtifactClass[], changes?: Partial<PlanRequest>): Promise<PrunePlan>
  apply(plan: PrunePlan, changes?: Partial<ApplyRequest>): Promise<AppliedRemovals>
}

export async function makeBed(limits: Partial<PlanLimits> = {}): Promise<PruneBed> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'prune-')))
  const root = join(dir, 'root')
  const outside = join(dir, 'outside')
  mkdirSync(root)
  mkdirSync(outside)
  const files = createArtifactFiles({ world: realWorld, limits })
  return {
    dir,
    root,
    outside,
    files,
    write: (path, options) => writeOld(join(root, path), options),
    plan: (rules, changes) =>
      files.plan({ rules, active: activeWith(), nowMs: Date.now(), pressure: null, ...changes }),
    apply: (plan, changes) => files.apply({ ...applyAll(plan), ...changes }),
    async [Symbol.asyncDispose]() {
      await files.close()
      // Trees may be deeper than a path can be long.
      execFileSync('rm', ['-rf', dir])
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export function applyAll(plan: PrunePlan): ApplyRequest {
  return {
    plan,
    batch: 100,
    readActive: async () => activeWith(),
    trashDir: null,
    mayGoOn: async () => true,
    onProgress: () => {},
  }
}

export function writeOld(path: string, { ageMs = OLD_MS, text = path } = {}): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  age(path, ageMs)
  return path
}

export function age(path: string | Buffer, ageMs: number = OLD_MS): void {
  const at = new Date(Date.now() - ageMs)
  utimesSync(path, at, at)
}

/** A rule that removes after a day. */
export function ruleOf(root: string, patterns: readonly string[], changes: Partial<ArtifactClass> = {}): ArtifactClass {
  const bounds = { ageBy: 'writing', maxAgeMs: DAY_MS, maxCount: null, maxBytes: null, mayGoEarly: true } as const
  return { name: 'logs', group: 'g', root, patterns, ...bounds, keep: [], protects: [], ...changes }
}

export function activeWith(changes: Partial<ActiveReferences> = {}): ActiveReferences {
  const none = new Set<string>()
  return {
    ids: none,
    openSessions: none,
    closedSessions: none,
    workingSessions: none,
    liveRuns: none,
    hasSessions: true,
    ...changes,
  }
}

/** Stays of all classes together. */
export function staysOf({ classes }: Pick<AppliedRemovals, 'classes'>): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { stays } of classes) {
    for (const [reason, count] of Object.entries(stays)) sums[reason] = (sums[reason] ?? 0) + count
  }
  return sums
}

export interface Seen {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly content: string
  readonly mtimeMs: number
  readonly ino: number
  readonly links: number
  readonly diskBytes: number
}

/** Everything below a folder, itself not followed anywhere; names as Latin-1, so that each byte is a character. */
export function snapshot(root: string): Map<string, Seen> {
  const seen = new Map<string, Seen>()
  const visit = (path: Buffer, key: string) => {
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      const below = Buffer.concat([path, Buffer.from('/'), name])
      const at = key + name.toString('latin1')
      seen.set(at, lookAt(below))
      if (seen.get(at)?.kind === 'folder') visit(below, `${at}/`)
    }
  }
  visit(Buffer.from(root), '')
  return seen
}

/** The same without what removing a neighbour changes: times of folders, and counts of names. */
export function contentsOf(root: string): Map<string, string> {
  return new Map(
    [...snapshot(root)].map(([path, { kind, content, mtimeMs, ino }]) => [
      path,
      kind === 'folder' ? kind : `${kind} ${ino} ${mtimeMs} ${content}`,
    ]),
  )
}

function lookAt(path: Buffer): Seen {
  const stats = lstatSync(path)
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other'
  const content = kind === 'file' ? readFileSync(path, 'latin1') : kind === 'link' ? readlinkSync(path, 'latin1') : ''
  const { mtimeMs, ino, nlink: links, blocks } = stats
  return { kind, content, mtimeMs, ino, links, diskBytes: blocks * 512 }
}

/** What a killed host prunes: files that are due one by one, and units. */
export function crashRules(root: string): readonly ArtifactClass[] {
  return [ruleOf(root, ['logs/*/*.log']), ruleOf(root, ['units/{id}/'], { name: 'units', protects: ['id'] })]
}
