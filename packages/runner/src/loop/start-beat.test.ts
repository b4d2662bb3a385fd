import { describe, expect, it } from 'vitest'
import { startBeat } from './start-beat.ts'

/** A mailbox that only beats, and a clock that only the test moves. */
function arrange() {
  const lines: string[] = []
  const timers = new Map<number, () => void>()
  const seen = { beats: 0, fails: false, delays: [] as number[] }
  const world = {
    now: () => 0,
    newId: (prefix: string) => prefix,
    setTimer: (delayMs: number, fn: () => void) => {
      const id = seen.delays.push(delayMs)
      timers.set(id, fn)
      return () => timers.delete(id)
    },
  }
  const mailbox = {
    beat: async () => {
      if (seen.fails) throw new Error('read-only')
      seen.beats += 1
    },
  }
  const tick = async () => {
    for (const [id, fn] of [...timers]) {
      timers.delete(id)
      await fn()
    }
  }
  return { seen, lines, timers, tick, start: () => startBeat({ mailbox, world, log: (line) => lines.push(line) }) }
}

describe('startBeat', () => {
  it('beats at once and every 5 s from then on', async () => {
    const { seen, tick, start } = arrange()
    await start()
    expect(seen.beats).toBe(1)
    await tick()
    await tick()
    expect(seen.beats).toBe(3)
    expect(new Set(seen.delays)).toEqual(new Set([5_000]))
  })

  it('lets the run fail when the first beat does', async () => {
    const { seen, start } = arrange()
    seen.fails = true
    await expect(start()).rejects.toThrow('read-only')
  })

  it('tells of an outage once, and goes on trying', async () => {
    const { seen, lines, tick, start } = arrange()
    await start()
    seen.fails = true
    await tick()
    await tick()
    seen.fails = false
    await tick()
    seen.fails = true
    await tick()
    expect(lines).toEqual(['the heartbeat fails: read-only', 'the heartbeat fails: read-only'])
    expect(seen.beats).toBe(2)
  })

  it('leaves no timer behind', async () => {
    const { timers, tick, start } = arrange()
    const stop = await start()
    await tick()
    stop()
    expect(timers.size).toBe(0)
  })
})
