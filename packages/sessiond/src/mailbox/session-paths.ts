import { join } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { SessiondError } from '../model/errors.ts'
import type { SessionPaths } from './mailbox.ts'

/** Says where a session's files lie; throws SESSION_NAME_INVALID, because a path is made of both names. */
export function sessionPaths(dataDir: string, sessionId: string): SessionPaths {
  const [group, name, ...rest] = sessionId.split('/')
  if (group === undefined || name === undefined || rest.length > 0 || !isValidName(group) || !isValidName(name)) {
    throw new SessiondError('SESSION_NAME_INVALID', `${JSON.stringify(sessionId.slice(0, 140))} is no session id.`)
  }
  const root = join(dataDir, 'sessions', group, name)
  return { root, in: join(root, 'in'), out: join(root, 'out'), work: join(root, 'work'), runs: join(root, 'runs') }
}
