/** Layouts of NanoClaw installations that are known. */
export const LAYOUTS = ['nanoclaw-v1', 'nanoclaw-v2'] as const
export type Layout = (typeof LAYOUTS)[number]

/** The database that says which sessions there are, below the root. */
export const CENTRAL: Readonly<Record<Layout, readonly string[]>> = {
  'nanoclaw-v1': ['store', 'messages.db'],
  'nanoclaw-v2': ['data', 'v2.db'],
}

/** Folder of what sessions leave behind, below the root: one folder a group. */
export const SESSIONS: Readonly<Record<Layout, readonly string[]>> = {
  'nanoclaw-v1': ['data', 'sessions'],
  'nanoclaw-v2': ['data', 'v2-sessions'],
}

/**
 * Names of session folders in v2 begin so; what else lies beside them belongs to their group. Only of a folder that is
 * not on record does the name decide what it is.
 */
export const V2_SESSION_PREFIX = 'sess-'

/** What a v1 installation has on record. */
export interface V1Record {
  readonly sessions: readonly { readonly group: string; readonly id: string }[]
  /** Folders of registered groups. */
  readonly groups: readonly string[]
}

/** A session as `v2.db` has it. */
export interface V2Session {
  readonly id: string
  readonly group: string
  /** Null: the column is missing, or holds no text. */
  readonly status: string | null
  readonly containerStatus: string | null
  readonly createdAt: string | null
  readonly lastActive: string | null
}

export interface V2Group {
  readonly id: string
  readonly name: string | null
  readonly folder: string | null
}

/** What a v2 installation has on record. */
export interface V2Record {
  readonly sessions: readonly V2Session[]
  readonly groups: readonly V2Group[]
}

/**
 * What a session's two databases say that pruning must know. Null: they do not say it, because one of them is not there
 * or has other tables than are known.
 */
export interface V2Hold {
  /** False: the session has no folder, or neither of its databases. */
  readonly hasDatabases: boolean
  /** Ids under which its agent finds its conversations again. */
  readonly ids: readonly string[] | null
  /** Messages that have not ended: they wait, are worked on or are paused. */
  readonly open: number | null
  /** Replies that no delivery is recorded of. */
  readonly undelivered: number | null
}

/** A message as `inbound.db` has it, without what it says. */
export interface V2Message {
  readonly id: string
  readonly kind: string | null
  readonly status: string | null
  readonly timestamp: string | null
  readonly processAfter: string | null
  readonly recurrence: string | null
  readonly seriesId: string | null
  readonly tries: number
  readonly isTrigger: boolean
  /** Only a container that has just begun is shown it. */
  readonly isOnWake: boolean
}

export interface V2Ack {
  readonly messageId: string
  readonly status: string
  readonly changedAt: string | null
}

/** What a session's folder tells of it. */
export interface V2SessionState {
  /** Of messages, by their status. */
  readonly counts: Readonly<Record<string, number>>
  /** Those that have not ended, oldest first; of too many, those that may wake and are due first. */
  readonly open: readonly V2Message[]
  /** Newest message of each series. */
  readonly series: readonly V2Message[]
  /** Acknowledgements of what has not ended. */
  readonly acks: readonly V2Ack[]
  readonly undelivered: number
  readonly tool: { readonly name: string; readonly timeoutMs: number | null; readonly startedAt: string | null } | null
  /** Modification time of `.heartbeat`; null: there is none, or it is no plain file. */
  readonly heartbeatAtMs: number | null
  readonly untold: Untold
  /** There is more than is told: one of the above, or a series. */
  readonly isPartial: boolean
}

/** What a session has more of than is told. */
export interface Untold {
  /** Messages that have not ended and may wake. */
  readonly waking: number
  /** Those that wake nobody. */
  readonly context: number
  /** Claims of other messages than are told. */
  readonly claims: number
}
