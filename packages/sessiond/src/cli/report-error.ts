import { CommanderError } from 'commander'
import { type ErrorFields, SessiondError } from '../model/errors.ts'
import { escapeText, toSafeJson } from '../model/escape.ts'
import type { CliContext } from './cli-context.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'

/**
 * Tells a person, or with `--json` a program, what went wrong, on standard error, and sets the exit code. With
 * `--json` it is one line, `{"error":{code,message,cure,fields}}`, the same object the HTTP API answers with.
 */
export function reportError(error: unknown, context: CliContext, isJson: boolean): void {
  const known = error instanceof SessiondError ? error : asSessiondError(error)
  context.setExitCode(known === undefined ? EXIT.failed : exitCodeOf(known))
  const body = known === undefined ? bugOf(error) : bodyOf(known)
  const words = `error: ${escapeText(`${body.message} ${body.cure}`.replace(/\s+$/, ''))} [${body.code}]`
  context.err(`${isJson ? toSafeJson({ error: body }) : words}\n`)
}

interface ErrorBody {
  readonly code: string
  readonly message: string
  readonly cure: string
  readonly fields: ErrorFields
}

function bugOf(error: unknown): ErrorBody {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'INTERNAL', message, cure: 'This is a bug of sessiond: please report it.', fields: {} }
}

function bodyOf({ code, what, cure, fields }: SessiondError): ErrorBody {
  return { code, message: what, cure, fields }
}

function asSessiondError(error: unknown): SessiondError | undefined {
  if (!(error instanceof CommanderError)) return undefined
  const isHelp = error.code === 'commander.help'
  const what = isHelp ? 'There is no command, or none of this name.' : error.message.replace(/^error: /, '').trim()
  return new SessiondError('BAD_REQUEST', what.endsWith('.') ? what : `${what}.`, {
    cure: 'Run the command with --help for its arguments.',
    cause: error,
  })
}
