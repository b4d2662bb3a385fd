import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FIXTURES_DIR } from '@sessiond/testkit'
import { describeWithPython } from '@sessiond/testkit/engine'
import { afterEach, expect, it } from 'vitest'
import type { GroupOptions } from '../../src/config/options.ts'
import { cleanUp, startHost, type TestHost, untilFile } from './harness.ts'

afterEach(cleanUp)

/** The runner that docs/protocol.md points at: another language, other SQLite, no code of ours. */
function pythonGroup(change: GroupOptions = {}): Readonly<Record<string, GroupOptions>> {
  return { python: { runner: { command: ['python3', join(FIXTURES_DIR, 'python-runner.py')] }, ...change } }
}

function endsOf(test: TestHost): unknown[] {
  return test.events.filter((event) => event.type === 'run:exited').map((event) => event.detail.exit)
}

function rowsOf(test: TestHost, table: 'messages_out' | 'processing_ack'): unknown {
  const path = join(test.dataDir, 'sessions', 'python', 'main', 'out', 'outbound.db')
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    return db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count
  } finally {
    db.close()
  }
}

const CLEAN_EXIT = { code: 0, signal: null, oomKilled: false }

describeWithPython('a runner in another language', () => {
  it('answers messages in order, with the context said before them', async () => {
    const test = await startHost(pythonGroup())
    await test.host.send({ group: 'python', text: 'name=Ana', context: true })
    for (const text of ['echo "hello $name"', 'echo two', 'echo three']) await test.host.send({ group: 'python', text })
    await test.untilType('message:completed', 4)
    expect(test.replies()).toEqual(['hello Ana', 'two', 'three'])
    expect(test.events.filter((event) => event.type === 'evidence:ignored')).toEqual([])
    expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(1)
  })

  it('keeps its outbox small: what the host has taken is gone from it', async () => {
    const test = await startHost(pythonGroup(), { mailbox: { windowMessages: 4 } })
    await test.host.sendMany(Array.from({ length: 30 }, (_, index) => ({ group: 'python', text: `echo ${index}` })))
    await test.untilType('message:completed', 30)
    expect(test.replies()).toEqual(Array.from({ length: 30 }, (_, index) => String(index)))
    const seqs = test.events.flatMap((event) => (event.reply === undefined ? [] : [event.reply.seq]))
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, index) => 2 * index + 1))
    // Never more than the window's replies, and those of the window before that it had not yet seen taken.
    expect(rowsOf(test, 'messages_out')).toBeLessThanOrEqual(8)
    expect(rowsOf(test, 'processing_ack')).toBeLessThanOrEqual(8)
  })

  it('stops cancelled work and goes on with the next message in the same run', async () => {
    const test = await startHost(pythonGroup(), { runs: { cancelGrace: '20s', stopGrace: '3s' } })
    await test.host.send({ group: 'python', id: 'long', text: 'touch begun; sleep 600; echo never' })
    await untilFile(test, 'python/main', 'begun')
    expect(await test.host.cancelMessage('long')).toBe('requested')
    expect((await test.untilType('message:failed')).detail).toMatchObject({ failure: 'CANCELLED' })
    await test.host.send({ group: 'python', text: 'echo still here' })
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['still here'])
    expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(1)
  })

  it('has its failures counted and retried', async () => {
    const test = await startHost(pythonGroup())
    await test.host.send({ group: 'python', text: 'test -e tried && exec echo ok; touch tried; echo why >&2; exit 3' })
    await test.untilType('message:completed')
    expect((await test.untilType('message:retried')).detail).toMatchObject({ because: 'agent-failed', tries: 1 })
    expect(test.replies()).toEqual(['ok'])
  })

  it('ends cleanly when it idles, and finds its session state again in the next run', async () => {
    const test = await startHost(pythonGroup({ idleStop: '50ms' }))
    await test.host.send({ group: 'python', text: 'echo "answered before: $ANSWERED"' })
    await test.untilType('run:exited')
    await test.host.send({ group: 'python', text: 'echo "answered before: $ANSWERED"' })
    await test.untilType('run:exited', 2)
    expect(test.replies()).toEqual(['answered before: 0', 'answered before: 1'])
    expect(endsOf(test)).toEqual([CLEAN_EXIT, CLEAN_EXIT])
  })

  it('hands interrupted work back on shutdown, with no try spent', async () => {
    const test = await startHost(pythonGroup(), { shutdown: { drain: '4s' }, runs: { stopGrace: '3s' } })
    await test.host.send({ group: 'python', id: 'm', text: 'test -e tried && exec echo later; touch tried; sleep 600' })
    await untilFile(test, 'python/main', 'tried')
    await test.restart()
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['later'])
    expect((await test.host.showMessage('m')).message).toMatchObject({ tries: 0, status: 'completed' })
    expect(endsOf(test)).toEqual([CLEAN_EXIT])
  })
})
