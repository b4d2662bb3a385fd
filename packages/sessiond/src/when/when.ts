import type { ErrorCode } from '../model/errors.ts'

/** Codes of the catalogue that a time can be refused with. */
export type WhenCode = Extract<
  ErrorCode,
  'TIME_INVALID' | 'TIME_INCOMPLETE' | 'TIME_AMBIGUOUS' | 'TIME_SKIPPED' | 'TIME_IN_PAST' | 'TIME_TOO_FAR'
>

/** Why a time is refused. `words` and `cure` are whole sentences, harmless on a terminal; `cure` shows what to write. */
export interface WhenProblem {
  readonly kind: 'problem'
  readonly code: WhenCode
  readonly words: string
  readonly cure: string
}

/** One instant, and the same in words, for whoever asked to check. */
export interface WhenFound {
  readonly kind: 'found'
  readonly atMs: number
  /** `Tue 2030-01-01 09:00:00 +01:00 (Europe/Berlin), in 3 d 4 h`. */
  readonly echo: string
}

/** A time as a person wrote it: exactly one instant, or the reason why it is none. */
export type When = WhenFound | WhenProblem

/** Where and when a time is read. */
export interface WhenContext {
  /** IANA zone in which a local time is meant; one that Intl knows. */
  readonly timeZone: string
  readonly nowMs: number
}

/** How far ahead a time may lie. */
export const MAX_AHEAD_MS = 10 * 366 * 24 * 3_600_000
/** A stated instant this little in the past is "now": the request took that long to arrive. */
export const BREATH_MS = 5_000

export function problem(code: WhenCode, words: string, cure: string): WhenProblem {
  return { kind: 'problem', code, words, cure }
}
