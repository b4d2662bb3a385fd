import { expect, it } from 'vitest'
import { messageOf } from '../../test/fake-context.ts'
import { timeVariables } from './time-variables.ts'

const NINE_MS = Date.UTC(2030, 0, 1, 8)
const told = { timeZone: 'Europe/Berlin', nowMs: NINE_MS }

it('tells a command the zone, the time, and when each message was sent', () => {
  const message = { ...messageOf('x'), createdAtMs: NINE_MS - 60_000, replyTo: { sender: 'Anna', text: 'lunch?' } }
  const said = { ...messageOf('y'), id: 'c1', isContext: true }
  const { SESSIOND_BATCH = '', ...rest } = timeVariables([said, message], { message, ...told })
  expect(rest).toEqual({
    SESSIOND_ZONE: 'Europe/Berlin',
    SESSIOND_MESSAGE_TIME: '2030-01-01T08:59:00+01:00',
    SESSIOND_REPLY_TO: 'Anna: lunch?',
  })
  expect(JSON.parse(SESSIOND_BATCH)).toEqual({
    timeZone: 'Europe/Berlin',
    now: '2030-01-01T09:00:00+01:00',
    messages: [
      { id: 'c1', isContext: true, localTime: null },
      { id: 'm1', isContext: false, localTime: '2030-01-01T08:59:00+01:00' },
    ],
  })
})

it('stays within what an environment variable can hold, and keeps the newest', () => {
  const message = { ...messageOf('x'), id: 'z'.repeat(128), createdAtMs: NINE_MS }
  const { SESSIOND_BATCH = '' } = timeVariables([messageOf('first'), ...Array(5_000).fill(message)], {
    message,
    ...told,
  })
  expect(SESSIOND_BATCH.length).toBeLessThan(128 * 1024)
  expect(SESSIOND_BATCH).not.toContain('"m1"')
})
