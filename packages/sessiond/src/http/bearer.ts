import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { SessiondError } from '../model/errors.ts'
import type { ApiContext, ApiEnv } from './api-context.ts'

/** The only path that answers without a token, and then says no more than whether all is well. */
export const HEALTH_PATH = '/v1/health'

/** Notes whether a request carries the token. Comparing takes the same time wherever a wrong token differs. */
export function noteBearer({ token }: ApiContext): MiddlewareHandler<ApiEnv> {
  const expected = digest(token)
  return async (c, next) => {
    const presented = /^bearer +([^\s]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1]
    c.set('isAuthenticated', presented !== undefined && timingSafeEqual(digest(presented), expected))
    await next()
  }
}

/** Refuses requests without the token. */
export const requireBearer: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const header = c.req.header('authorization')
  const mayBeAnonymous = header === undefined && c.req.path === HEALTH_PATH
  if (!c.get('isAuthenticated') && !mayBeAnonymous) {
    const what =
      header === undefined ? 'The request carries no bearer token.' : 'The bearer token is not the right one.'
    throw new SessiondError('UNAUTHORIZED', what)
  }
  await next()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
