import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeWorld } from '../../../testkit/src/fake-world.ts'
import { until } from '../../../testkit/src/until.ts'
import { OutboxWatcher } from './outbox-watcher.ts'

describe('OutboxWatcher', () => {
  let out: string
  let world: FakeWorld
  let calls: number
  let watcher: OutboxWatcher

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'sessiond-watch-'))
    world = new FakeWorld()
    calls = 0
  })

  afterEach(() => {
    watcher.close()
    rmSync(out, { recursive: true, force: true })
  })

  const start = () => {
    watcher = new OutboxWatcher(out, world, () => {
      calls += 1
    })
  }

  test('closes the watch on a flood, and sees what comes after it by polling', async () => {
    start()
    await watcher.poll()
    // Two names in turn: the kernel joins equal events that follow each other.
    for (let event = 0; event < 12_000; event += 1) appendFileSync(join(out, `junk${event % 2}`), 'x')
    await until(() => expect(calls).toBe(1))
    writeFileSync(join(out, 'outbound.db'), 'changed')
    await watcher.poll()
    await world.advance(5)
    expect(calls).toBe(2)
  })

  test('is not called for what is no mailbox file', async () => {
    start()
    await watcher.poll()
    writeFileSync(join(out, '.heartbeat'), '')
    writeFileSync(join(out, 'outbound.db'), 'x')
    await until(async () => {
      await world.advance(5)
      expect(calls).toBe(1)
    })
  })
})
