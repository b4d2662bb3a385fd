import { isValidId, isValidName } from '@sessiond/protocol'
import { SessiondError } from '../model/errors.ts'

/** One session as the command line names it. */
export interface SessionArgument {
  readonly group: string
  readonly session: string
  readonly id: string
}

/**
 * Reads `<group>/<session>`, or `<group>` alone for its session `main`. Throws SESSION_NAME_INVALID: names become
 * part of a URL, so one that climbs must never get there.
 */
export function parseSessionArgument(argument: string): SessionArgument {
  const [group = '', session = 'main', ...rest] = argument.split('/')
  if (rest.length > 0 || !isValidName(group) || !isValidName(session)) {
    throw new SessiondError('SESSION_NAME_INVALID', `The session ${JSON.stringify(argument)} is not allowed.`, {
      fields: { field: 'session', session: argument.slice(0, 200) },
      cure: 'Write <group>/<session>, or <group> for its session main; names are letters, digits, dots, underscores and hyphens.',
    })
  }
  return { group, session, id: `${group}/${session}` }
}

/** Checks the name of a group likewise. Throws BAD_REQUEST. */
export function parseGroupArgument(argument: string): string {
  if (isValidName(argument)) return argument
  throw new SessiondError('BAD_REQUEST', `The group ${JSON.stringify(argument.slice(0, 200))} is not allowed.`, {
    fields: { field: 'group', group: argument.slice(0, 200) },
    cure: 'Write the name of a group: letters, digits, dots, underscores and hyphens.',
  })
}

/** Checks the id of a message or dead letter before it becomes part of a URL; throws MESSAGE_ID_INVALID. */
export function parseMessageArgument(argument: string): string {
  if (isValidId(argument)) return argument
  throw new SessiondError('MESSAGE_ID_INVALID', `The id ${JSON.stringify(argument)} is not allowed.`, {
    fields: { field: 'message', id: argument.slice(0, 200) },
  })
}
