/**
 * A class of files with a retention rule: data, so that the dry run, the pruner, the configuration check and the page
 * that explains it read the same thing.
 */
export interface ArtifactClass {
  /** Unique among the classes of one plan, for example `debug-logs`; what configuration, plan and journal call it. */
  readonly name: string
  /** Absolute path of the folder that holds them; nothing outside is looked at or touched, whatever links say. */
  readonly root: string
  /**
   * What belongs to it, as paths below `root`: segments separated by `/`. In a segment `*` stands for any run of
   * characters, `{group}`, `{session}` and `{id}` for one or more characters that are captured: the group the entry
   * belongs to, the sessiond session, and the id (exact, whole) an active session may reference it by; a capture that
   * occurs twice makes two ids (`{id}-agent-{id}.json`). A segment `**` stands for any number of folders. A pattern
   * that ends in `/` means folders, each one unit with all that is below it; any other means regular files.
   */
  readonly patterns: readonly string[]
  /** Older than this by modification time is due; null: age alone removes nothing. */
  readonly maxAgeMs: number | null
  /** At most this many of each group stay, newest first; null: any number. */
  readonly maxCount: number | null
  /** At most this many bytes of each group stay, newest first; null: any size. */
  readonly maxBytes: number | null
  /** Names (the last segment) that are never removed, for example `latest`. */
  readonly keep: readonly string[]
  /** True: what an active session references, by captured id or session, is never removed. */
  readonly protectsActive: boolean
}

/**
 * What must not be touched, read afresh before a plan is made and before each batch of it is applied. Unreadable is an
 * error thrown by whoever reads it, never an empty set.
 */
export interface ActiveReferences {
  /** Ids that an active session references: SDK session ids and the like, whole. */
  readonly ids: ReadonlySet<string>
  /** `<group>/<session>` of every active session. */
  readonly sessions: ReadonlySet<string>
  /** Sessions known at all, active or not: tells an empty house from one that cannot be seen. */
  readonly known: number
}

/** One file or folder that a plan removes, and what it was when the plan was made. */
export interface PlannedRemoval {
  readonly className: string
  /** Relative to the class's root. */
  readonly path: string
  readonly isFolder: boolean
  /** Bytes on disk given back, hard links that remain elsewhere counted as nothing. */
  readonly bytes: number
  /** Files it holds, itself included when it is one. */
  readonly files: number
  readonly group: string | null
  readonly session: string | null
  readonly ids: readonly string[]
  /** Which bound it exceeds, with the numbers it was decided on. */
  readonly reason: RemovalReason
  /** What a removal checks again: another file of the same name, or one that was written since, stays. */
  readonly identity: { readonly dev: string; readonly ino: string; readonly mtimeMs: number; readonly bytes: number }
}

export type RemovalReason =
  | { readonly rule: 'age'; readonly ageMs: number; readonly maxAgeMs: number }
  | { readonly rule: 'count'; readonly rank: number; readonly maxCount: number }
  | { readonly rule: 'bytes'; readonly bytesBefore: number; readonly maxBytes: number }
  | { readonly rule: 'pressure'; readonly usedShare: number; readonly highWater: number }

/** What stays although a bound is exceeded, counted by class: why it stays. */
export type StayReason = 'active' | 'kept-name' | 'not-a-file' | 'future' | 'unreadable'

/** Everything one pruning would do, and why; `prune --dry-run` prints it, `prune` applies exactly it. */
export interface PrunePlan {
  readonly plannedAtMs: number
  readonly removals: readonly PlannedRemoval[]
  /** By class: what is there, what goes, what stays although due. */
  readonly classes: readonly PlannedClass[]
  /** Bounds that the plan itself met: it goes on with the next one. */
  readonly isPartial: boolean
}

export interface PlannedClass {
  readonly name: string
  readonly root: string
  readonly seen: { readonly entries: number; readonly bytes: number }
  readonly removed: { readonly entries: number; readonly bytes: number }
  readonly stays: Readonly<Partial<Record<StayReason, number>>>
}
