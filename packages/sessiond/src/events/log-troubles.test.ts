import { describe, expect, it } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import { SessiondError } from '../model/errors.ts'
import { logTroubles } from './log-troubles.ts'

function scene() {
  const world = new FakeWorld()
  const lines: [string, unknown][] = []
  const log = logTroubles({ error: (fields, message) => lines.push([message, fields.repeated]) }, world)
  return { world, lines, log }
}

describe('logTroubles (F1)', () => {
  it('tells of a trouble at once, then every five minutes with the number kept silent', async () => {
    const { world, lines, log } = scene()
    const err = new Error('the same')
    for (let second = 0; second <= 300; second += 1) {
      log.error({ err }, 'sweep failed')
      await world.advance(1_000)
    }
    expect(lines).toEqual([
      ['sweep failed', undefined],
      ['sweep failed', 299],
    ])
  })

  it('takes a full disk for one trouble, wherever it shows', () => {
    const { lines, log } = scene()
    for (let index = 0; index < 1_000; index += 1) {
      log.error({ err: new SessiondError('DISK_FULL', 'full') }, `session a/s${index} failed`)
      log.error({ code: 'DISK_FULL', where: 'POST /v1/messages' }, 'request failed')
    }
    expect(lines).toEqual([['session a/s0 failed', undefined]])
  })

  it('tells of different troubles, and of the same one in different places', () => {
    const { lines, log } = scene()
    const err = new SessiondError('MAILBOX_UNSAFE', 'a link')
    log.error({ err }, 'session a/x failed')
    log.error({ err }, 'session a/y failed')
    log.error({ err: new Error('other') }, 'session a/y failed')
    expect(lines).toHaveLength(3)
  })

  it('logs everything that carries an id somebody was told to look up', () => {
    const { lines, log } = scene()
    for (let index = 0; index < 3; index += 1) {
      log.error({ code: 'INTERNAL', where: 'GET /', fields: { errorId: `e${index}` } }, 'request failed')
    }
    expect(lines).toHaveLength(3)
  })
})
