import type { ErrorCode } from '../model/errors.ts'

/** A failure inside a reader process; the host turns it into a SessiondError that names the session. */
export class MailboxFailure extends Error {
  override readonly name = 'MailboxFailure'
  readonly code: ErrorCode
  readonly cure: string | undefined

  constructor(code: ErrorCode, what: string, options: { cause?: unknown; cure?: string } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.cure = options.cure
  }
}
