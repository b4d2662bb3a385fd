import type { JournalRecord, JournalType } from '../model/journal.ts'

/** What logging needs of a logger; a pino logger fits. */
export interface EventLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Events that ask for a person's attention; everything else is debug, so that a busy host does not fill a disk (F1). */
const LEVELS: Partial<Record<JournalType, 'info' | 'warn' | 'error'>> = {
  'host:started': 'info',
  'host:stopped': 'info',
  'run:started': 'info',
  'run:adopted': 'info',
  'run:stopRequested': 'info',
  'run:exited': 'info',
  'message:retried': 'warn',
  'message:failed': 'warn',
  'run:spawnFailed': 'warn',
  'run:spawnRecovered': 'info',
  'run:killSent': 'warn',
  'run:unkillable': 'error',
  'evidence:ignored': 'warn',
  'mailbox:setAside': 'warn',
  'container:removed': 'warn',
  'volume:removed': 'warn',
  'network:removed': 'warn',
  'runtime:lost': 'error',
  'runtime:recovered': 'info',
  'host:stalled': 'warn',
  'disk:low': 'error',
  'disk:recovered': 'info',
  'session:errored': 'error',
  'session:archivePutOff': 'warn',
  'reply:deliveryFailed': 'warn',
  'prune:finished': 'info',
  'prune:failed': 'error',
}

/**
 * Writes journal lines to the log: ids and numbers, never bodies, because the journal holds none. Details stay a field of
 * their own: a run's name or pid there must not pass for the host's. */
export function logEvents(log: EventLog, records: readonly JournalRecord[]): void {
  for (const { type, id, sessionId, epoch, messageId, detail } of records) {
    log[LEVELS[type] ?? 'debug']({ event: id, sessionId, epoch, messageId, detail }, type)
  }
}
