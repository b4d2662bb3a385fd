import { describe, expect, test } from 'vitest'
import { realWorld, type World } from '../world.ts'
import { Coalescer } from './coalescer.ts'

/** A world whose time passes when the test says so. */
function stillWorld(): { world: World; pass: (ms: number) => void } {
  let nowMs = 0
  let timers: { atMs: number; fn: () => void }[] = []
  const world: World = {
    ...realWorld,
    monotonicMs: () => nowMs,
    setTimer(delayMs, fn) {
      const timer = { atMs: nowMs + delayMs, fn }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }
  const pass = (ms: number) => {
    nowMs += ms
    const due = timers.filter((timer) => timer.atMs <= nowMs)
    timers = timers.filter((timer) => timer.atMs > nowMs)
    for (const timer of due) timer.fn()
  }
  return { world, pass }
}

describe('Coalescer', () => {
  function make() {
    const { world, pass } = stillWorld()
    let calls = 0
    const coalescer = new Coalescer(world, () => {
      calls += 1
    })
    return { coalescer, pass, calls: () => calls }
  }

  test('calls at once the first time, then once per gap while hints go on', () => {
    const { coalescer, pass, calls } = make()
    coalescer.soon()
    expect(calls()).toBe(1)
    for (let hint = 0; hint < 100; hint += 1) coalescer.soon()
    pass(4)
    expect(calls()).toBe(1)
    pass(1)
    expect(calls()).toBe(2)
    pass(100)
    expect(calls()).toBe(2)
  })

  test('makes a later call only when none came before it', () => {
    const { coalescer, pass, calls } = make()
    coalescer.later()
    expect(calls()).toBe(0)
    coalescer.soon()
    expect(calls()).toBe(1)
    pass(50)
    expect(calls()).toBe(1)
    coalescer.later()
    pass(5)
    expect(calls()).toBe(2)
  })

  test('makes no call once closed', () => {
    const { coalescer, pass, calls } = make()
    coalescer.later()
    coalescer.close()
    coalescer.soon()
    pass(50)
    expect(calls()).toBe(0)
  })
})
