import { inspectOutbound, type OutboundFiles, readPiece, unsafe } from './inspect-outbound.ts'
import type { OutboxBatch } from './mailbox.ts'
import { MailboxFailure } from './mailbox-failure.ts'
import { openOutbound } from './open-outbound.ts'
import type { TakeInput } from './operations.ts'
import { readOutbox } from './read-outbox.ts'
import { recoverOutbound } from './recover-outbound.ts'
import { isBusy, translateFailure } from './translate-failure.ts'

/** Smallest page, so smallest database, SQLite can make. */
const MIN_DATABASE_BYTES = 512

/** Reads one bounded batch of what a run wrote; of a finished run after repairing what it left half-done. */
export function takeOutbound(input: TakeInput): OutboxBatch {
  const files = inspectOutbound(input.paths, input.maxFileBytes)
  if (files === undefined || isNotYet(files, input)) return nothing(input.afterSeq)
  if (!input.isFinal) return takeLive(files, input)
  try {
    return takeRecovered(files, input)
  } catch (error) {
    throw beyondRepair(error)
  }
}

/** A file shorter than any database may be one just being made, or a file share's hiccup (C14): only a live run's. */
function isNotYet(files: OutboundFiles, input: TakeInput): boolean {
  if (files.db.size >= MIN_DATABASE_BYTES) return false
  if (!input.isFinal || files.db.size === 0) return true
  throw new MailboxFailure('MAILBOX_TORN', 'The mailbox is cut short.')
}

function takeLive(files: OutboundFiles, input: TakeInput): OutboxBatch {
  const header = readPiece(files.path, files.db, 0, 20)
  // Bytes 18 and 19 say 2 in WAL mode: its shared memory would be the run's to write while we read through it.
  if (header[18] === 2 || header[19] === 2) throw unsafe('the run turned WAL on; it is read once the run is gone')
  return read(files, input)
}

function takeRecovered(files: OutboundFiles, input: TakeInput): OutboxBatch {
  const header = readPiece(files.path, files.db, 0, 20)
  const isWal = header[18] === 2 || header[19] === 2
  if (!isWal && files.companions.length === 0) return read(files, input)
  recoverOutbound(files)
  // The repair may have made the file larger than any the host reads.
  const repaired = inspectOutbound(input.paths, input.maxFileBytes)
  return repaired === undefined ? nothing(input.afterSeq) : read(repaired, input)
}

function read(files: OutboundFiles, input: TakeInput): OutboxBatch {
  const db = openOutbound(files)
  try {
    return readOutbox(db, input)
  } finally {
    db.close()
  }
}

/** With no writer left, a file that may not be written or read will not get better by waiting. */
function beyondRepair(error: unknown): MailboxFailure {
  const failure = translateFailure(error, 'run')
  if (failure.code !== 'MAILBOX_BUSY' || isBusy(error)) return failure
  return new MailboxFailure('MAILBOX_TORN', 'The mailbox cannot be repaired.', { cause: error })
}

function nothing(afterSeq: number): OutboxBatch {
  return { acks: [], replies: [], state: null, sessionState: [], refused: [], lastSeq: afterSeq, hasMore: false }
}
