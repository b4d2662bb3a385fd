import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FIXTURES_DIR } from '../../../testkit/src/fixtures.ts'
import { realWorld } from '../world.ts'
import type { TakeInput } from './operations.ts'
import { ReaderPool } from './reader-pool.ts'

const program = pathToFileURL(join(FIXTURES_DIR, 'answers-like-a-reader.mjs'))

describe('ReaderPool', () => {
  let pool: ReaderPool
  /** Who ended, in order. */
  let ended: string[]

  beforeEach(() => {
    pool = new ReaderPool({ size: 2, timeoutMs: 300, world: realWorld, program })
    ended = []
  })

  afterEach(async () => {
    await pool.close()
  })

  /** The pool passes inputs on without a look, so the fixture's words travel as the input of a take. */
  const ask = (sessionId: string, what: 'answer' | 'hang' | 'die') =>
    pool
      .run(sessionId, 'take', what as unknown as TakeInput)
      .then(
        (value) => value as unknown as number,
        (error: { code: string }) => error.code,
      )
      .finally(() => ended.push(sessionId))

  test('answers, keeping the process for the next request', async () => {
    const pid = await ask('g/a', 'answer')
    expect(pid).toBeTypeOf('number')
    expect(await ask('g/b', 'answer')).toBe(pid)
  })

  test('kills and replaces a reader that does not answer in time', async () => {
    const pid = await ask('g/a', 'answer')
    expect(await ask('g/bad', 'hang')).toBe('MAILBOX_TIMEOUT')
    const next = await ask('g/a', 'answer')
    expect(next).not.toBe(pid)
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
  })

  test('(I1) runs suspects one at a time and never on the last free reader', async () => {
    await Promise.all([ask('g/bad1', 'hang'), ask('g/bad2', 'hang')])
    ended = []
    const bad = [ask('g/bad1', 'hang'), ask('g/bad2', 'hang'), ask('g/bad1', 'hang')]
    const good: Promise<unknown>[] = []
    for (let turn = 0; turn < 30; turn += 1) good.push(ask('g/good', 'answer'))
    await Promise.all(good)
    expect(ended).toEqual(Array(30).fill('g/good'))
    expect(await Promise.all(bad)).toEqual(['MAILBOX_TIMEOUT', 'MAILBOX_TIMEOUT', 'MAILBOX_TIMEOUT'])
  })

  test('never runs two requests of a session at once', async () => {
    const first = ask('g/a', 'hang')
    const second = ask('g/a', 'answer')
    expect(await first).toBe('MAILBOX_TIMEOUT')
    expect(await second).toBeTypeOf('number')
    expect(ended).toEqual(['g/a', 'g/a'])
  })

  test('asks again when a reader dies, and blames the mailbox only when the second one does too', async () => {
    expect(await ask('g/bad', 'die')).toBe('MAILBOX_TORN')
    expect(await ask('g/a', 'answer')).toBeTypeOf('number')
  })

  test('replaces an idle reader that was killed from outside', async () => {
    const pid = Number(await ask('g/a', 'answer'))
    process.kill(pid, 'SIGKILL')
    expect(await ask('g/a', 'answer')).toBeTypeOf('number')
  })

  test('says MAILBOX_BUSY when no reader can be started', async () => {
    const broken = new ReaderPool({
      size: 2,
      timeoutMs: 300,
      world: realWorld,
      program: new URL('./none.mjs', program),
    })
    await expect(broken.run('g/a', 'take', 'answer' as unknown as TakeInput)).rejects.toMatchObject({
      code: 'MAILBOX_BUSY',
    })
    await broken.close()
  })

  test('says MAILBOX_BUSY when the system refuses a process at once, and serves the session once it does not', async () => {
    // Longer than any argument may be: the start fails before there is a process.
    let path = new URL(`./${'x'.repeat(1024 * 1024)}.mjs`, program)
    const refused = new ReaderPool({
      size: 2,
      timeoutMs: 300,
      world: realWorld,
      get program() {
        return path
      },
    })
    const ask = () => refused.run('g/a', 'take', 'answer' as unknown as TakeInput)
    const both = await Promise.allSettled([ask(), ask()])
    expect(both).toMatchObject([{ reason: { code: 'MAILBOX_BUSY' } }, { reason: { code: 'MAILBOX_BUSY' } }])
    path = program
    expect(await ask()).toBeTypeOf('number')
    await refused.close()
  })

  test('on close lets what runs end, refuses what waits, and leaves no process', async () => {
    const pid = Number(await ask('g/a', 'answer'))
    const running = [ask('g/b', 'hang'), ask('g/c', 'hang')]
    const waiting = ask('g/d', 'answer')
    await pool.close()
    expect(await Promise.all(running)).toEqual(['MAILBOX_TIMEOUT', 'MAILBOX_TIMEOUT'])
    expect(await waiting).toBe('HOST_STOPPING')
    expect(await ask('g/e', 'answer')).toBe('HOST_STOPPING')
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})
