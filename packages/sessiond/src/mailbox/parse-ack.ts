import { type AckStatus, isValidId, parseTimestamp, parseTrouble } from '@sessiond/protocol'
import type { SeenAck } from './mailbox.ts'
import { exactInteger, type Parsed, plainText, type Row } from './parsed.ts'

const STATUSES: ReadonlySet<string> = new Set<AckStatus>(['processing', 'completed', 'failed'])

/** Checks one row of `processing_ack`. */
export function parseAck(row: Row): Parsed<SeenAck> {
  const messageId = plainText(row.message_id)
  if (messageId === null || !isValidId(messageId)) return { because: 'an invalid message_id' }
  const status = row.status
  if (!isAckStatus(status)) return { because: 'an unknown status' }
  return {
    value: {
      messageId,
      status,
      statusChanged: plainText(row.status_changed),
      epoch: exactInteger(row.epoch),
      attempt: exactInteger(row.attempt),
      error: errorText(row.error),
      retryAtMs: parseTimestamp(row.retry_at) ?? null,
      trouble: parseTrouble(row.trouble),
    },
  }
}

function errorText(value: Row[string] | undefined): string | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\u{fffd}') : null
}

function isAckStatus(value: unknown): value is AckStatus {
  return typeof value === 'string' && STATUSES.has(value)
}
