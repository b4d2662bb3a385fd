import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import type { OutboxBatch } from './mailbox.ts'
import { type Parsed, plainText, type Row } from './parsed.ts'

/** Checks one row of `session_state`. */
export function parseSessionState(row: Row): Parsed<OutboxBatch['sessionState'][number]> {
  const key = plainText(row.key)
  if (key === null || key === '' || key.length > PROTOCOL_LIMITS.idChars) return { because: 'an invalid key' }
  const value = row.value
  if (typeof value !== 'string') return { because: 'a value that is no text within bounds' }
  return { value: { key, value } }
}
