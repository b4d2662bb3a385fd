import type { MiddlewareHandler } from 'hono'
import { SessiondError } from '../model/errors.ts'
import type { ApiContext, ApiEnv } from './api-context.ts'
import { bindingsOf } from './api-context.ts'
import { TokenBuckets } from './token-buckets.ts'

const MAX_ADDRESSES = 4096

/**
 * Holds each client address to config.requestsPerSecond; guesses at the token count too. Who has it is counted apart: on
 * one machine all share an address, and a run that floods the port must not keep its operator from stopping it.
 */
export function limitRate({ config, world }: ApiContext): MiddlewareHandler<ApiEnv> {
  const buckets = new TokenBuckets({ perSecond: config.requestsPerSecond, maxAddresses: MAX_ADDRESSES })
  return async (c, next) => {
    const address = bindingsOf(c).incoming?.socket.remoteAddress ?? 'in-process'
    const client = `${c.get('isAuthenticated') ? 'token' : 'anyone'} ${address.replace(/^::ffff:/, '')}`
    const answer = buckets.take(client, world.monotonicMs())
    if (!answer.allowed) {
      throw new SessiondError('RATE_LIMITED', 'Too many requests from this address.', {
        fields: { retryAfterMs: answer.retryAfterMs },
      })
    }
    await next()
  }
}
