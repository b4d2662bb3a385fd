import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ErrorCode } from '../model/errors.ts'

/** The one place where error codes become HTTP statuses. A test holds it to the whole catalogue. */
const STATUS_OF: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  BAD_REQUEST: 400,
  SESSION_NAME_INVALID: 400,
  MESSAGE_ID_INVALID: 400,
  TEXT_EMPTY: 400,
  TEXT_NOT_UTF8: 400,
  TIME_INVALID: 400,
  TIME_INCOMPLETE: 400,
  TIME_AMBIGUOUS: 400,
  TIME_SKIPPED: 400,
  TIME_WITHOUT_ZONE: 400,
  TIME_IN_PAST: 400,
  TIME_TOO_FAR: 400,
  INVALID_RECORDING: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  GROUP_UNKNOWN: 404,
  SESSION_NOT_FOUND: 404,
  MESSAGE_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  SESSION_NAME_CLASH: 409,
  SESSION_CLOSED: 409,
  MESSAGE_ID_CONFLICT: 409,
  MESSAGE_NOT_OPEN: 409,
  MESSAGE_NOT_DEAD: 409,
  BODY_TOO_LARGE: 413,
  TEXT_TOO_LARGE: 413,
  MEDIA_TYPE_REFUSED: 415,
  HOST_NOT_ALLOWED: 421,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  CONFIG_INVALID: 500,
  CONFIG_EXISTS: 500,
  CONFIG_NOT_FOUND: 500,
  DATA_DIR_LOCKED: 500,
  DATA_DIR_UNUSABLE: 500,
  DATA_DIR_NEWER: 500,
  STORE_BROKEN: 500,
  IMAGE_MISSING: 500,
  COMMAND_NOT_FOUND: 500,
  MOUNT_REFUSED: 500,
  MAILBOX_UNSAFE: 500,
  RUNTIME_REFUSED: 502,
  STORE_BUSY: 503,
  HOST_NOT_RUNNING: 503,
  HOST_UNRESPONSIVE: 503,
  HOST_STARTING: 503,
  HOST_STOPPING: 503,
  RUNTIME_UNREACHABLE: 503,
  RUN_NAME_TAKEN: 503,
  MAILBOX_TORN: 503,
  MAILBOX_TIMEOUT: 503,
  MAILBOX_BUSY: 503,
  DISK_FULL: 507,
}

/** The status an error of this code is answered with; 500 for a code nobody has placed. */
export function statusOf(code: ErrorCode): ContentfulStatusCode {
  return STATUS_OF[code] ?? 500
}

/** Codes that have a status of their own. */
export const PLACED_CODES: readonly string[] = Object.keys(STATUS_OF)
