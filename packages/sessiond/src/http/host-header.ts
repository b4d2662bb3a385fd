import type { MiddlewareHandler } from 'hono'
import { SessiondError } from '../model/errors.ts'
import type { ApiContext, ApiEnv } from './api-context.ts'
import { bindingsOf } from './api-context.ts'

const WILDCARDS = ['0.0.0.0', '::', '[::]']

/** What a Host header is held against. */
export interface HostRule {
  /** Port the request came in on; undefined in-process, where any is accepted. */
  readonly port: number | undefined
  /** Address the API listens on. */
  readonly listenHost: string
  /** `name` (any port) or `name:port`. */
  readonly allowedHosts: readonly string[]
}

/**
 * Tells whether a Host header names this API: a loopback name or the listening address with the right port, or
 * an allowed host. A page that rebinds its own name to 127.0.0.1 arrives with that name, and is refused.
 */
export function isAllowedHost(header: string, rule: HostRule): boolean {
  const value = header.toLowerCase()
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/.exec(value)
  if (match === null) return false
  const name = match[1] ?? ''
  const allowed = rule.allowedHosts.map((host) => host.toLowerCase())
  if (allowed.includes(value) || allowed.includes(name)) return true
  const hasRightPort = rule.port === undefined || Number(match[2] ?? 80) === rule.port
  return hasRightPort && (isLoopback(name) || isListenHost(name, rule.listenHost.toLowerCase()))
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

function isListenHost(name: string, listenHost: string): boolean {
  return !WILDCARDS.includes(listenHost) && (name === listenHost || name === `[${listenHost}]`)
}

/** Refuses requests whose Host header is not one of this API's (DNS rebinding), before anything else is looked at. */
export function checkHostHeader({ config }: ApiContext): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const header = c.req.header('host') ?? new URL(c.req.url).host
    const port = bindingsOf(c).incoming?.socket.localPort
    if (!isAllowedHost(header, { port, listenHost: config.host, allowedHosts: config.allowedHosts })) {
      throw new SessiondError('HOST_NOT_ALLOWED', 'The Host header names another site.', {
        fields: { host: header.slice(0, 100) },
      })
    }
    await next()
  }
}
