import { FakeWorld } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import { HostPulse } from './host-pulse.ts'

function setUp() {
  const world = new FakeWorld()
  let stalledMs = 0
  const clock = { ...bind(world), monotonicMs: () => world.monotonicMs() + stalledMs }
  const stalls: number[] = []
  const pulse = new HostPulse({ world: clock, onStalled: (ms) => stalls.push(ms) })
  pulse.start()
  const stall = (ms: number) => {
    stalledMs += ms
  }
  return { world, pulse, stalls, stall }
}

function bind(world: FakeWorld) {
  return {
    now: () => world.now(),
    random: () => world.random(),
    newId: (prefix: string) => world.newId(prefix),
    setTimer: (delayMs: number, fn: () => void) => world.setTimer(delayMs, fn),
    boundary: () => {},
  }
}

describe('HostPulse (A14)', () => {
  it('says nothing of a host that keeps time, whether it is asked or not', async () => {
    const { world, pulse, stalls } = setUp()
    for (let second = 0; second < 60; second += 1) {
      await world.advance(1_000)
      if (second % 3 === 0) pulse.check()
    }
    expect(stalls).toEqual([])
  })

  it.each([
    [4_000, 0],
    [4_001, 1],
  ])('of a timer %i ms late it makes %i stalls', async (ms, count) => {
    const { world, stalls, stall } = setUp()
    stall(ms)
    await world.advance(1_000)
    expect(stalls).toHaveLength(count)
  })

  it('tells of a stall once, to whoever comes first', async () => {
    const { world, pulse, stalls, stall } = setUp()
    stall(3_600_000)
    pulse.check()
    pulse.check()
    await world.advance(5_000)
    expect(stalls).toEqual([3_600_000])
  })

  it('ends with its host', async () => {
    const { world, pulse } = setUp()
    pulse.stop()
    expect(world.timerCount()).toBe(0)
  })
})
