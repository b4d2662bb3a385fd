import type { ErrorCode, SessiondError } from '../model/errors.ts'

/** What the exit code of a command means; docs/cli.md is held to this table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  badInput: 2,
  notFound: 3,
  notRunning: 4,
  unhealthy: 5,
  waitedTooLong: 6,
  interrupted: 130,
} as const

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: EXIT.badInput,
  CONFIG_NOT_FOUND: EXIT.badInput,
  BAD_REQUEST: EXIT.badInput,
  BODY_TOO_LARGE: EXIT.badInput,
  SESSION_NAME_INVALID: EXIT.badInput,
  SESSION_NAME_CLASH: EXIT.badInput,
  MESSAGE_ID_INVALID: EXIT.badInput,
  MESSAGE_ID_CONFLICT: EXIT.badInput,
  TEXT_EMPTY: EXIT.badInput,
  TEXT_TOO_LARGE: EXIT.badInput,
  TEXT_NOT_UTF8: EXIT.badInput,
  TIME_INVALID: EXIT.badInput,
  TIME_WITHOUT_ZONE: EXIT.badInput,
  TIME_IN_PAST: EXIT.badInput,
  TIME_TOO_FAR: EXIT.badInput,
  TIME_INCOMPLETE: EXIT.badInput,
  TIME_AMBIGUOUS: EXIT.badInput,
  TIME_SKIPPED: EXIT.badInput,
  ZONE_INVALID: EXIT.badInput,
  SCHEDULE_INVALID: EXIT.badInput,
  SERIES_ID_CONFLICT: EXIT.badInput,
  NOT_FOUND: EXIT.notFound,
  GROUP_UNKNOWN: EXIT.notFound,
  SESSION_NOT_FOUND: EXIT.notFound,
  MESSAGE_NOT_FOUND: EXIT.notFound,
  RUN_NOT_FOUND: EXIT.notFound,
  SESSION_ARCHIVED: EXIT.notFound,
  SERIES_NOT_FOUND: EXIT.notFound,
  HOST_NOT_RUNNING: EXIT.notRunning,
  HOST_STARTING: EXIT.notRunning,
  HOST_STOPPING: EXIT.notRunning,
  HOST_UNRESPONSIVE: EXIT.notRunning,
}

/** The exit code for an error. */
export function exitCodeOf(error: SessiondError): number {
  return BY_CODE[error.code] ?? EXIT.failed
}
