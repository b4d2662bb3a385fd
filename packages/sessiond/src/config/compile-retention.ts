import { join, resolve } from 'node:path'
import type { Protection } from '../model/artifact.ts'
import type { CleaningPolicy } from '../model/retention.ts'
import { type Capture, capturesOf } from './artifact-pattern.ts'
import type { FileBounds, FileClass, RetentionPolicy } from './config.ts'
import type { ParsedOptions } from './host-schema.ts'

type HostRetention = ParsedOptions['retention']
type OwnRetention = ParsedOptions['groups'][string]['retention']
export type CustomClass = HostRetention['artifacts'][string]
type OwnBounds = OwnRetention[FileClass]

/** `retention` of a group over that of the host; of null: the host's, for groups that have left the configuration. */
export function retentionPolicyOf(
  group: string | null,
  options: ParsedOptions,
  context: { readonly baseDir: string },
): RetentionPolicy {
  const host = options.retention
  const own: Partial<OwnRetention> = group === null ? {} : (options.groups[group]?.retention ?? {})
  const artifacts = group === null ? host.artifacts : (own.artifacts ?? {})
  const bounds = (name: FileClass): FileBounds | null => fileBoundsOf(own[name], host[name])
  const time = (name: TimeOption) => inherited(own[name], host[name])
  return {
    files: {
      transcripts: bounds('transcripts'),
      debugLogs: bounds('debugLogs'),
      todos: bounds('todos'),
      telemetry: bounds('telemetry'),
      groupLogs: bounds('groupLogs'),
      runLogs: bounds('runLogs'),
      recordings: bounds('recordings'),
      setAside: bounds('setAside'),
      attachments: bounds('attachments'),
      files: bounds('files'),
    },
    rows: {
      messagesMs: time('messages'),
      repliesMs: time('replies'),
      deadLettersMs: time('deadLetters'),
      journalMs: time('journal'),
      runsMs: time('runs'),
      ledgerMs: time('ledger'),
      sessionsMs: sessionsMsOf(time('sessions'), time('archives')),
    },
    closedSessionsMs: time('closedSessions'),
    archivesMs: time('archives'),
    artifacts: Object.entries(artifacts).map(([name, written]) => ({
      name,
      group,
      root: rootOf(written, group, options, context),
      patterns: written.patterns,
      ageBy: 'writing',
      maxAgeMs: written.age,
      maxCount: written.count,
      maxBytes: written.size,
      mayGoEarly: true,
      keep: written.keep,
      protects: protectionsOf(written, group),
    })),
  }
}

type TimeOption =
  | 'messages'
  | 'replies'
  | 'deadLetters'
  | 'journal'
  | 'runs'
  | 'ledger'
  | 'sessions'
  | 'closedSessions'
  | 'archives'

/** A name that is free again leads to an archive of its own: by then the one of the session before must be gone. */
const AFTER_ARCHIVE_MS = 30 * 86_400_000

function sessionsMsOf(sessionsMs: number | null, archivesMs: number | null): number | null {
  if (sessionsMs === null || archivesMs === null) return null
  return Math.max(sessionsMs, archivesMs + AFTER_ARCHIVE_MS)
}

const UNBOUNDED: FileBounds = { maxAgeMs: null, maxCount: null, maxBytes: null, keep: [] }

/** Bounds of a group over the host's. What the group leaves out of a class the host has switched off bounds nothing. */
export function fileBoundsOf(own: OwnBounds, host: HostRetention[FileClass]): FileBounds | null {
  const base = host === null ? null : { maxAgeMs: host.age, maxCount: host.count, maxBytes: host.size, keep: host.keep }
  if (own === undefined || own === null) return own === null ? null : base
  const { maxAgeMs, maxCount, maxBytes, keep } = base ?? UNBOUNDED
  return {
    maxAgeMs: inherited(own.age, maxAgeMs),
    maxCount: inherited(own.count, maxCount),
    maxBytes: inherited(own.size, maxBytes),
    keep: [...new Set([...keep, ...(own.keep ?? [])])],
  }
}

/** Where a custom class lies; absolute. */
export function rootOf(
  { root }: Pick<CustomClass, 'root'>,
  group: string | null,
  { dataDir }: Pick<ParsedOptions, 'dataDir'>,
  { baseDir }: { readonly baseDir: string },
): string {
  if (root !== undefined) return resolve(baseDir, root)
  return join(resolve(baseDir, dataDir), 'sessions', ...(group === null ? [] : [group]))
}

/** What each protection must know of an entry. A group's own class knows the group anyway. */
function needsOf(protection: Protection, group: string | null): readonly Capture[] {
  if (protection === 'id') return ['id']
  const session = group === null ? (['group', 'session'] as const) : (['session'] as const)
  return protection === 'run' ? [...session, 'epoch'] : session
}

/** As written; else all that the patterns can tell, but not that a session is open: it would keep all it ever made. */
function protectionsOf({ protects, patterns }: CustomClass, group: string | null): readonly Protection[] {
  if (protects !== undefined) return protects
  return (['id', 'run', 'work'] as const).filter((protection) =>
    patterns.some((pattern) => unmetNeeds(protection, group, capturesOf(pattern)).length === 0),
  )
}

/** What a pattern would have to capture as well. Of a file of a session its names serve where no id is captured. */
export function unmetNeeds(
  protection: Protection,
  group: string | null,
  captures: ReadonlySet<Capture>,
): readonly Capture[] {
  if (protection === 'id' && captures.has('session')) return []
  return needsOf(protection, group).filter((capture) => !captures.has(capture))
}

/** `cleaning` in ms. */
export function cleaningOf(options: ParsedOptions['cleaning']): CleaningPolicy {
  return {
    everyMs: options.every,
    budgetMs: options.budget,
    batch: options.batch,
    highWaterShare: options.highWater,
    trashMs: options.trash,
    usesTrash: options.useTrash,
  }
}

/** Null is a value of its own here: "never" of a group overrides the host's figure. */
function inherited(own: number | null | undefined, host: number | null): number | null {
  return own === undefined ? host : own
}
