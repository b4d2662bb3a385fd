import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideTrouble, MAX_ALONE, MAX_TROUBLED_ATTEMPTS, MAX_TROUBLED_MS } from './decide-trouble.ts'

const now = 2 * MAX_TROUBLED_MS
const fresh = { tries: 0, attempt: 1, troubles: null }

describe('decideTrouble', () => {
  it('takes the first trouble of a message for its account’s', () => {
    const troubles = { sinceMs: now, answers: 7, alone: 0 }
    expect(decideTrouble(fresh, 7, now)).toEqual({ isAlone: false, spendsTry: false, troubles })
  })

  it.each([
    ['nobody was answered since', 7, 2, false, false],
    ['others were answered since', 8, 0, true, false],
    ['others were answered since, for the last time', 8, MAX_ALONE - 1, true, false],
    ['others were answered since, once too often', 8, MAX_ALONE, true, true],
    ['nobody was answered since, though it was alone before', 7, MAX_ALONE + 1, false, false],
  ])('when %s', (_, answers, alone, isAlone, spendsTry) => {
    const troubles = { sinceMs: 5, answers: 7, alone }
    expect(decideTrouble({ ...fresh, attempt: 9, troubles }, answers, now)).toEqual({
      isAlone,
      spendsTry,
      troubles: { sinceMs: 5, answers, alone: alone + (isAlone ? 1 : 0) },
    })
  })

  it.each([
    ['long, and often', MAX_TROUBLED_MS, MAX_TROUBLED_ATTEMPTS + 1, true],
    ['long, but seldom: the host was off', MAX_TROUBLED_MS, MAX_TROUBLED_ATTEMPTS, false],
    ['often, but not for long', MAX_TROUBLED_MS - 1, MAX_TROUBLED_ATTEMPTS + 1, false],
  ])('(G7) told for %s', (_, forMs, attempt, spendsTry) => {
    const troubles = { sinceMs: now - forMs, answers: 7, alone: 0 }
    expect(decideTrouble({ ...fresh, attempt, troubles }, 7, now)).toMatchObject({ isAlone: false, spendsTry })
  })

  it('(B16) spends no try of a lone message in an outage of less than a week, however often it asks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: MAX_TROUBLED_MS - 1 }), { maxLength: 300 }), (times) => {
        let message: Parameters<typeof decideTrouble>[0] = fresh
        for (const atMs of [0, ...times].sort((a, b) => a - b)) {
          const { spendsTry, troubles } = decideTrouble(message, 3, atMs)
          expect(spendsTry).toBe(false)
          message = { ...message, attempt: message.attempt + 1, troubles }
        }
      }),
    )
  })
})
