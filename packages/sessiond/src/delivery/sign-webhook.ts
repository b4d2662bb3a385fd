import { createHmac } from 'node:crypto'

/**
 * The X-Sessiond-Signature of a body: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`. The time is signed
 * too, so a receiver can refuse an old request sent again.
 */
export function signWebhook(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${digest}`
}
