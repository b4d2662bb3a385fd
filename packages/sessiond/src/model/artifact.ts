/**
 * A class of files with a retention rule: data, so that the dry run, the pruner, the configuration check and the page
 * that explains it read the same thing.
 */
export interface ArtifactClass {
  /** What configuration, plan and journal call it, for example `debugLogs`. Several rules of one plan may share it. */
  readonly name: string
  /** The group whose files these are; null: patterns capture it, or there is none. */
  readonly group: string | null
  /** Absolute path of the folder that holds them; nothing outside is looked at or touched, whatever links say. */
  readonly root: string
  /**
   * What belongs to it, as paths below `root`: segments separated by `/`. In a segment `*` stands for any run of
   * characters, `{group}`, `{session}`, `{epoch}` and `{id}` for one or more characters that are captured: group and
   * session the entry belongs to, the run's number, and the id (exact, whole) an active session may reference it by; a
   * capture that occurs twice makes two ids (`{id}-agent-{id}.json`), of every way in which the name can be read. A
   * segment `**` stands for any number of folders. A pattern that ends in `/` means folders, each one unit with all that
   * is below it; any other means regular files. An entry belongs to the first class of a plan, and there to the first
   * pattern, that fits; a folder in which earlier patterns may find something is left to them, and what else is in it
   * stays.
   */
  readonly patterns: readonly string[]
  /**
   * What its age counts from, of a folder the newest in it. `writing`: when it was last written. `arrival`: when it came
   * here, where that is later: a file may be handed over with an old time. A time to come counts for neither.
   */
  readonly ageBy: 'writing' | 'arrival'
  /** Older than this is due; null: age alone removes nothing. */
  readonly maxAgeMs: number | null
  /** At most this many of the class and group stay, newest first; null: any number. */
  readonly maxCount: number | null
  /** At most this many bytes of the class and group stay, newest first; null: any size. */
  readonly maxBytes: number | null
  /** Whether it may go before its bounds when the disk is too full; false for what there is no other copy of. */
  readonly mayGoEarly: boolean
  /**
   * Names that are never removed, for example `latest`: of entries, and of folders that `**`, `*`, `{id}` or `{epoch}`
   * stands for on the way to them. Within a folder that is one unit they count for nothing.
   */
  readonly keep: readonly string[]
  /** What ties an entry to a session so that it stays; several: any one of them. Empty: nothing does. */
  readonly protects: readonly Protection[]
}

/**
 * A folder bears its own name after this while it is removed. So nobody sees half of it under its name, and what a
 * crash leaves is known as a leftover: by age it would be young again, for every removal within renews it.
 */
export const LEFTOVER_PREFIX = '.sessiond-pruning.'

/** The name a folder had before its removal began. */
export function ownName(name: string): string {
  return name.startsWith(LEFTOVER_PREFIX) ? name.slice(LEFTOVER_PREFIX.length) : name
}

/**
 * `id`: an active session references a captured `{id}`. `session`: the captured session is open. `run`: the captured
 * run is live. `work`: the captured session has a message that has not ended or is a dead letter, a reply not delivered,
 * or a live run.
 * `no-record`: the captured session, whose folder holds it, is not on record: whose it is nobody can tell.
 */
export type Protection = 'id' | 'session' | 'run' | 'work' | 'no-record'

/**
 * What must not be touched, read afresh before a plan is made and before each batch of it is applied. Unreadable is an
 * error thrown by whoever reads it (REFERENCES_UNREADABLE), never an empty set.
 */
export interface ActiveReferences {
  /** Ids that an active session references: SDK session ids and the like, whole. */
  readonly ids: ReadonlySet<string>
  /** `<group>/<session>` of every open session. */
  readonly openSessions: ReadonlySet<string>
  /** `<group>/<session>` of every closed session that may still have a folder: it is not archived. */
  readonly closedSessions: ReadonlySet<string>
  /** `<group>/<session>` of every session with work, as Protection has it. */
  readonly workingSessions: ReadonlySet<string>
  /** `<group>/<session>/<epoch>` of every live run. */
  readonly liveRuns: ReadonlySet<string>
  /** Whether any session is on record, active or not: tells an empty house from one that cannot be seen. */
  readonly hasSessions: boolean
}

/** One file or folder that a plan removes, and what it was when the plan was made. */
export interface PlannedRemoval {
  readonly className: string
  /** Index into the plan's `rules`. */
  readonly rule: number
  /** Relative to the rule's root. */
  readonly path: string
  readonly isFolder: boolean
  /** Bytes on disk given back, hard links that remain elsewhere counted as nothing. */
  readonly bytes: number
  /** Files it holds, itself included when it is one. */
  readonly files: number
  readonly group: string | null
  readonly session: string | null
  readonly epoch: string | null
  readonly ids: readonly string[]
  /** Which bound it exceeds, with the numbers it was decided on. */
  readonly reason: RemovalReason
  /** What a removal checks again: another file of the same name, or one that was written since, stays. */
  readonly identity: {
    readonly dev: string
    readonly ino: string
    readonly mtimeMs: number
    readonly bytes: number
    /** What it takes to look at all of it: 1 for a file, many for a folder. */
    readonly looks: number
  }
}

export type RemovalReason =
  | { readonly bound: 'age'; readonly ageMs: number; readonly maxAgeMs: number }
  | { readonly bound: 'count'; readonly rank: number; readonly maxCount: number }
  | { readonly bound: 'bytes'; readonly bytesBefore: number; readonly maxBytes: number }
  | { readonly bound: 'highWater'; readonly usedShare: number; readonly highWaterShare: number }

/**
 * What stays although a bound is exceeded, counted by class: why it stays. `elsewhere`: on another file system, which is
 * not entered, and from which nothing can be moved. `not-permitted`: it may be read, but not removed.
 */
export type StayReason =
  | 'active'
  | 'no-record'
  | 'kept-name'
  | 'not-a-file'
  | 'future'
  | 'unreadable'
  | 'elsewhere'
  | 'not-permitted'
  | 'changed'
  | 'vanished'

/** Everything one pruning of files would do, and why; `prune --dry-run` prints it, `prune` applies exactly it. */
export interface PrunePlan {
  readonly plannedAtMs: number
  /** What it was made by. */
  readonly rules: readonly ArtifactClass[]
  /** Oldest first; on a full disk biggest and oldest first, and what pressure adds comes last. */
  readonly removals: readonly PlannedRemoval[]
  /** By class: what is there, what goes, what stays although due. */
  readonly classes: readonly PlannedClass[]
  /** Bounds that the plan itself met: what is left is for the next one. */
  readonly isPartial: boolean
}

export interface PlannedClass {
  readonly name: string
  readonly seen: { readonly entries: number; readonly bytes: number }
  readonly removed: { readonly entries: number; readonly bytes: number }
  readonly stays: Readonly<Partial<Record<StayReason, number>>>
}
