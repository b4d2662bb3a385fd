import { join } from 'node:path'
import { type ArtifactClass, ownName, type PlannedRemoval, type PrunePlan } from '../model/artifact.ts'
import type { ArtifactFiles } from './artifact-files.ts'

const FOLDER = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[A-Za-z0-9][A-Za-z0-9_-]{0,100}$/

/** Folders one pruning looks at; more are for the next. */
const MAX_FOLDERS = 200

/** Where prunings of a data directory put things aside. */
export function trashOf(dataDir: string): string {
  return join(dataDir, 'trash')
}

/** Names the folder of one pruning: when, and which. */
export function trashFolder(nowMs: number, id: string): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  return `${stamp}-${id}`
}

/** When the things in a trash folder were put aside, by its name; null: it is none of ours. */
export function stampOf(name: string): number | null {
  const [, year, month, day, hour, minute, second] = FOLDER.exec(name) ?? []
  if (second === undefined) return null
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(atMs) ? null : atMs
}

/** What has lain in the trash for longer than `keptMs`, by the name of its folder alone. */
export async function planTrash(
  files: ArtifactFiles,
  { dataDir, names }: { readonly dataDir: string; readonly names: readonly string[] },
  { nowMs, keptMs }: { readonly nowMs: number; readonly keptMs: number },
): Promise<PrunePlan> {
  const root = trashOf(dataDir)
  // One whose removal was broken off bears another name, and goes on under its own.
  const expired = [...new Set(names.map(ownName))]
    .map((name) => ({ name, stampMs: stampOf(name) }))
    .filter(({ stampMs }) => stampMs !== null && nowMs - stampMs > keptMs)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (expired.length === 0) return { plannedAtMs: nowMs, rules: [], removals: [], classes: [], isPartial: false }
  const taken = expired.slice(0, MAX_FOLDERS)
  const rule = ruleOf(
    root,
    taken.map(({ name }) => name),
  )
  // What was put aside keeps its dates, some of which a run has made up: only one that lies after all of them is fair.
  const plan = await files.plan({ rules: [rule], active: NOBODY, nowMs: Number.POSITIVE_INFINITY, pressure: null })
  return {
    ...plan,
    plannedAtMs: nowMs,
    removals: plan.removals.map((removal) => withStamp(removal, nowMs, keptMs)),
    isPartial: plan.isPartial || taken.length < expired.length,
  }
}

/** Nothing in the trash is of any use to a session: it was checked before it came there. */
const NOBODY = {
  ids: new Set<string>(),
  openSessions: new Set<string>(),
  closedSessions: new Set<string>(),
  workingSessions: new Set<string>(),
  liveRuns: new Set<string>(),
  hasSessions: false,
}

function ruleOf(root: string, names: readonly string[]): ArtifactClass {
  const patterns = names.map((name) => `${name}/`)
  return {
    name: 'trash',
    group: null,
    root,
    patterns,
    ageBy: 'writing',
    maxAgeMs: 0,
    maxCount: null,
    maxBytes: null,
    mayGoEarly: false,
    keep: [],
    protects: [],
  }
}

function withStamp(removal: PlannedRemoval, nowMs: number, keptMs: number): PlannedRemoval {
  const stampMs = stampOf(ownName(removal.path)) ?? nowMs
  return { ...removal, reason: { bound: 'age', ageMs: nowMs - stampMs, maxAgeMs: keptMs } }
}
