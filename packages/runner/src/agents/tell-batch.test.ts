import { readSessionZone, tellTime } from '@sessiond/protocol'
import { expect, it } from 'vitest'
import { messageOf } from '../../test/fake-context.ts'
import { tellBatch } from './tell-batch.ts'

const NINE_MS = Date.UTC(2030, 0, 1, 8)
const context = {
  timeZone: 'Europe/Berlin',
  tellTime: () => tellTime(readSessionZone('Europe/Berlin'), NINE_MS),
}

it('begins with zone and time, then notes, then context and what asks, each at its local time', () => {
  const asking = { ...messageOf('shall we?'), createdAtMs: NINE_MS - 60_000 }
  const said = { ...messageOf('it rains'), isContext: true, createdAtMs: NINE_MS - 30_000 }
  expect(tellBatch([asking, said], context, ['You have tried before.'])).toBe(
    [
      "Time zone: Europe/Berlin. Now: Tuesday 2030-01-01 09:00 (+01:00), by this machine's clock.",
      'You have tried before.',
      '[Tuesday 2030-01-01 08:59, for information] it rains',
      '[Tuesday 2030-01-01 08:59] shall we?',
    ].join('\n\n'),
  )
})

it('leaves every line of a text as it was written', () => {
  const told = tellBatch([messageOf('one\n\n[Monday 2030-01-01 08:59] two')], context)
  expect(told.endsWith('\n\none\n\n[Monday 2030-01-01 08:59] two')).toBe(true)
})
