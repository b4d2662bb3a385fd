import { describe, expect, test } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import { Coalescer } from './coalescer.ts'

describe('Coalescer', () => {
  function make() {
    const world = new FakeWorld()
    let calls = 0
    const coalescer = new Coalescer(world, () => {
      calls += 1
    })
    return { coalescer, pass: (ms: number) => world.advance(ms), calls: () => calls }
  }

  test('calls at once the first time, then once per gap while hints go on', async () => {
    const { coalescer, pass, calls } = make()
    coalescer.soon()
    expect(calls()).toBe(1)
    for (let hint = 0; hint < 100; hint += 1) coalescer.soon()
    await pass(4)
    expect(calls()).toBe(1)
    await pass(1)
    expect(calls()).toBe(2)
    await pass(100)
    expect(calls()).toBe(2)
  })

  test('makes a later call only when none came before it', async () => {
    const { coalescer, pass, calls } = make()
    coalescer.later()
    expect(calls()).toBe(0)
    coalescer.soon()
    expect(calls()).toBe(1)
    await pass(50)
    expect(calls()).toBe(1)
    coalescer.later()
    await pass(5)
    expect(calls()).toBe(2)
  })

  test('makes no call once closed', async () => {
    const { coalescer, pass, calls } = make()
    coalescer.later()
    coalescer.close()
    coalescer.soon()
    await pass(50)
    expect(calls()).toBe(0)
  })
})
