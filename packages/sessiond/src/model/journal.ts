/** Everything the journal records; also the names of the events people subscribe to (`noun:pastTense`). */
export const JOURNAL_TYPES = [
  'host:started',
  'host:stopped',
  'session:created',
  'session:closed',
  'session:archived',
  'session:archivePutOff',
  'message:accepted',
  'message:claimed',
  'message:completed',
  'message:retried',
  'message:failed',
  'message:cancelRequested',
  'message:replayed',
  'message:dropped',
  'request:received',
  'request:answered',
  'reply:written',
  'reply:delivered',
  'reply:deliveryRetried',
  'reply:deliveryFailed',
  'reply:deliveryReplayed',
  'reply:deliveryDropped',
  'run:intended',
  'run:started',
  'run:adopted',
  'run:stopRequested',
  'run:killSent',
  'run:exited',
  'run:spawnFailed',
  'run:spawnRecovered',
  'run:unkillable',
  'evidence:ignored',
  'mailbox:setAside',
  'container:removed',
  'volume:removed',
  'network:removed',
  'runtime:lost',
  'runtime:recovered',
  'host:stalled',
  'disk:low',
  'disk:recovered',
  'session:errored',
  'account:parked',
  'account:probed',
  'account:ramped',
  'account:opened',
  'series:created',
  'series:changed',
  'series:paused',
  'series:resumed',
  'series:parked',
  'series:ended',
  'series:fired',
  'series:missed',
  'prune:finished',
  'prune:failed',
] as const

export type JournalType = (typeof JOURNAL_TYPES)[number]

/** A line to be journalled. Written in the transaction of the change it tells of wherever there is one. */
export interface JournalEntry {
  readonly type: JournalType
  readonly atMs: number
  readonly sessionId: string | null
  readonly epoch: number | null
  readonly messageId: string | null
  /** The numbers behind it; JSON-safe, bounded, never message bodies or environment values. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** A line as it stands in the journal; `id` grows and is the event stream's `Last-Event-ID`. */
export interface JournalRecord extends JournalEntry {
  readonly id: number
}

/** A journal line about one run, or about a message a run holds. */
export function runLine(
  type: JournalType,
  atMs: number,
  run: { readonly sessionId: string; readonly epoch: number },
  detail: JournalEntry['detail'],
  messageId: string | null = null,
): JournalEntry {
  return { type, atMs, sessionId: run.sessionId, epoch: run.epoch, messageId, detail }
}
