import { FakeWorld } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SeriesClock } from '../../src/sweep/series-clock.ts'

let world: FakeWorld
let clock: SeriesClock
let looks: number[]
let nextAtMs: number | null
let failures: number
let errors: unknown[]
const fired: string[] = []

beforeEach(() => {
  world = new FakeWorld(0)
  looks = []
  nextAtMs = null
  failures = 0
  errors = []
  fired.length = 0
  clock = new SeriesClock({
    world,
    store: {
      async stepDueSeries({ nowMs }) {
        looks.push(nowMs)
        if (failures-- > 0) throw new Error('disk full')
        const isDue = nextAtMs !== null && nextAtMs <= nowMs
        if (isDue) nextAtMs = nowMs + 1_000
        return { fired: isDue ? ['g/a'] : [], interrupted: isDue ? ['g/b'] : [], isMore: false }
      },
      nextSeriesAtMs: async () => nextAtMs,
    },
    sinksOf: () => [],
    onFired: (sessionIds) => fired.push(...sessionIds),
    onInterrupted: (sessionId) => fired.push(`${sessionId} interrupted`),
    onError: (error) => errors.push(error),
  })
})
afterEach(() => clock.stop())

/** The first look has been made, and the timer is set. */
async function begin(): Promise<void> {
  clock.start()
  await world.advance(0)
}

it('sleeps until a series is due, and until the next', async () => {
  nextAtMs = 5_000
  await begin()
  await world.advance(4_999)
  expect(looks).toEqual([0])
  await world.advance(1)
  expect(looks).toEqual([0, 5_000])
  expect(fired).toEqual(['g/a', 'g/b interrupted'])
  await world.advance(1_000)
  expect(looks).toEqual([0, 5_000, 6_000])
})

it('sleeps for ever while there is none, and is woken by a kick', async () => {
  await begin()
  await world.advance(86_400_000)
  expect(looks).toEqual([0])
  nextAtMs = world.now() + 10
  clock.kick()
  await world.advance(0)
  await world.advance(10)
  expect(looks).toEqual([0, 86_400_000, 86_400_010])
})

it('(E17) looks again after a look that failed', async () => {
  failures = 2
  nextAtMs = 60_000
  await begin()
  await world.advance(10_000)
  expect(errors).toHaveLength(2)
  expect(looks).toEqual([0, 5_000, 10_000])
})

it('merges kicks that come during a look, and does nothing once it is stopped', async () => {
  clock.start()
  clock.kick()
  clock.kick()
  await world.advance(0)
  await world.advance(0)
  expect(looks).toEqual([0, 0])
  clock.stop()
  clock.kick()
  await world.advance(60_000)
  expect(looks).toEqual([0, 0])
})
