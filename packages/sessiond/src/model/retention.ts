/** How long rows of the store stay after they have ended; null: for ever. */
export interface RowRetention {
  /** Completed messages, and failed ones that are no dead letters. */
  readonly messagesMs: number | null
  /** Replies that are delivered everywhere. */
  readonly repliesMs: number | null
  /** Dead letters, of messages and of deliveries. */
  readonly deadLettersMs: number | null
  /** Journal lines; those of messages that have not ended, and of dead letters, stay as long as these. */
  readonly journalMs: number | null
  /** Runs that are gone; the newest of a session stays. */
  readonly runsMs: number | null
  /** Lines of the ledger of series: past it they are summed up; a series that has ended goes. */
  readonly ledgerMs: number | null
  /** Closed sessions, once archived, and nothing else of them is left. */
  readonly sessionsMs: number | null
}

/** Every row stays for ever. */
export const KEEPS_ROWS: RowRetention = {
  messagesMs: null,
  repliesMs: null,
  deadLettersMs: null,
  journalMs: null,
  runsMs: null,
  ledgerMs: null,
  sessionsMs: null,
}

/** When and how hard the host cleans. */
export interface CleaningPolicy {
  /** Between two cleanings; null: only when asked. */
  readonly everyMs: number | null
  /** One cleaning works at most so long, and finishes a session that it has begun to archive; the next goes on. */
  readonly budgetMs: number
  /** Files removed between two looks at what is referenced and at whether to go on. */
  readonly batch: number
  /** Used share of the disk (0 to 1) from which a cleaning comes at once; null: never. */
  readonly highWaterShare: number | null
  /** What `prune --trash` put aside is kept so long. */
  readonly trashMs: number
  /** The host's own cleanings put aside instead of removing. */
  readonly usesTrash: boolean
}
