export type SessionStatus = 'open' | 'closed'

/** One line of work in a group. Its id is `<group>/<name>` and names its directory. */
export interface Session {
  readonly id: string
  readonly group: string
  readonly name: string
  readonly status: SessionStatus
  /** IANA zone of its own; null: its group's. */
  readonly timeZone: string | null
  readonly createdAtMs: number
  readonly closedAtMs: number | null
  /** Since when its directory is no more but in an archive; null: it is not archived. */
  readonly archivedAtMs: number | null
  /** Epoch of the newest run; 0 before the first. */
  readonly epoch: number
  /** Failures before a first claim, in a row; back to 0 with the first claim of a run. */
  readonly spawnFailures: number
  /** No run is started before this instant (back-off after spawn failures). */
  readonly spawnNotBeforeMs: number
  readonly lastSpawnError: string | null
}

/** Builds a session's id from its parts; both must be valid names (protocol `isValidName`). */
export function sessionIdOf(group: string, name: string): string {
  return `${group}/${name}`
}

/** A session with what a person wants to see at a glance. */
export interface SessionSummary extends Session {
  readonly runState: import('./run.ts').RunState | null
  readonly pending: number
  readonly claimed: number
  readonly deadLetters: number
  /** Earliest instant at which a pending trigger message is or was due. */
  readonly nextDueAtMs: number | null
}
