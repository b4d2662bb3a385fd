import type { Message, MessageTroubles } from '../model/message.ts'

/**
 * How often a message may meet trouble alone before that spends a try: a prompt beyond the limit for one request ends in
 * the same words as a limit that holds for all.
 */
export const MAX_ALONE = 3

/**
 * Trouble that lasts so long *and* was met so often is no outage any more, but an agent that always says so, and would
 * keep its message for ever. Both, since a host that was off for a month has met nothing in that time.
 */
export const MAX_TROUBLED_MS = 7 * 86_400_000
export const MAX_TROUBLED_ATTEMPTS = 100

export interface TroubleDecision {
  /** Others of its account were answered since it met trouble last: what it meets is its own. */
  readonly isAlone: boolean
  /** It is to blame, whatever it says of its provider. */
  readonly spendsTry: boolean
  readonly troubles: MessageTroubles
}

/** Decides whose a trouble is that a message met: the provider's, or its own. `answers`: `Account.answers` now. */
export function decideTrouble(
  { troubles: before, attempt, tries }: Pick<Message, 'troubles' | 'attempt' | 'tries'>,
  answers: number,
  nowMs: number,
): TroubleDecision {
  const sinceMs = before?.sinceMs ?? nowMs
  const isAlone = before !== null && answers > before.answers
  const alone = (before?.alone ?? 0) + (isAlone ? 1 : 0)
  const isEndless = attempt - tries > MAX_TROUBLED_ATTEMPTS && nowMs - sinceMs >= MAX_TROUBLED_MS
  return { isAlone, spendsTry: (isAlone && alone > MAX_ALONE) || isEndless, troubles: { sinceMs, answers, alone } }
}
