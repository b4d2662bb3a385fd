import { writeAck, writeReply } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abortStart } from '../../src/effects/abort-start.ts'
import { settleRun } from '../../src/effects/settle-run.ts'
import { startRun } from '../../src/effects/start-run.ts'
import { takeOutbox } from '../../src/effects/take-outbox.ts'
import { SessiondError } from '../../src/model/errors.ts'
import { type EffectsFixture, makeEffectsFixture, SESSION } from './effects-fixture.ts'

const EXITED = { state: 'exited', exit: { code: 0, signal: null, oomKilled: false } } as const

let fixture: EffectsFixture
beforeEach(async () => {
  fixture = await makeEffectsFixture()
})
afterEach(() => fixture.close())

function timedOut(): SessiondError {
  return new SessiondError('RUNTIME_UNREACHABLE', 'It did not answer in time.', { fields: { runtime: 'process' } })
}

describe('a start call that timed out but took effect', () => {
  it('(B3) loses nothing of a run that worked and ended meanwhile', async () => {
    await fixture.send('m-1')
    fixture.runtime.before = (call) => {
      if (call !== 'start') return
      fixture.write((db) => {
        writeReply(db, 1, { in_reply_to: 'm-1', epoch: 1 })
        writeAck(db, 'm-1', 'completed', { epoch: 1, attempt: 1 })
      })
      fixture.runtime.seen = EXITED
      throw timedOut()
    }
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: true, outcome: 'exited-at-start' })
    expect(fixture.runtime.calls.filter((call) => call.startsWith('remove'))).toEqual([])
    await settleRun(fixture.deps, await fixture.liveRun(), EXITED.exit)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'completed', answered: true, attempt: 1 })
  })

  it('keeps the handle of one that a restarted host finds ended', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.runtime.seen = EXITED
    expect(await abortStart(fixture.deps, { ...run, handle: null })).toEqual({ done: true, outcome: 'found-exited' })
    expect(fixture.runtime.runs.size).toBe(1)
  })
})

describe('a create call that is not answered', () => {
  beforeEach(() => {
    fixture.runtime.before = (call) => {
      if (call === 'create') throw timedOut()
    }
  })

  it('(D9) is the trouble of this session when the engine answers all else', async () => {
    await fixture.send('m-1')
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toMatchObject({ done: true })
    const facts = await fixture.deps.store.readFacts(SESSION, Date.now())
    expect(facts).toMatchObject({ run: null, session: { spawnFailures: 1 } })
    expect(facts?.session.spawnNotBeforeMs).toBeGreaterThan(0)
  })

  it('(D11) is nobody’s failure when the engine was out of reach meanwhile, though it answers again', async () => {
    await fixture.send('m-1')
    let losses = 0
    const deps = { ...fixture.deps, lossesOf: () => losses++ }
    await expect(startRun(deps, SESSION, fixture.group)).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
    const facts = await fixture.deps.store.readFacts(SESSION, Date.now())
    expect(facts).toMatchObject({ run: null, session: { spawnFailures: 0 } })
  })

  it('(D11) is nobody’s failure when it answers nothing', async () => {
    await fixture.send('m-1')
    fixture.runtime.list = () => Promise.reject(timedOut())
    await expect(startRun(fixture.deps, SESSION, fixture.group)).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
    const facts = await fixture.deps.store.readFacts(SESSION, Date.now())
    expect(facts).toMatchObject({ run: null, session: { spawnFailures: 0 } })
  })
})

it('a message cancelled while its container is made leaves the mailbox marked as behind', async () => {
  await fixture.send('m-1')
  fixture.runtime.before = async (call) => {
    if (call !== 'create') return
    await fixture.deps.store.requestCancel('m-1', Date.now())
    const watch = fixture.deps.watches.find(SESSION)
    if (watch !== undefined) watch.isMailboxBehind = true
  }
  await fixture.start()
  expect(fixture.deps.watches.find(SESSION)?.isMailboxBehind).toBe(true)
})

describe('the last look at a dead run’s outbox', () => {
  const busy = new SessiondError('MAILBOX_BUSY', 'Somebody has it open.')

  it('(C2) waits while somebody has it open, and then loses nothing', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.write((db) => {
      writeReply(db, 1, { in_reply_to: 'm-1', epoch: 1 })
      writeAck(db, 'm-1', 'completed', { epoch: 1, attempt: 1 })
    })
    const { mailbox } = fixture.deps
    const takeFinal = mailbox.takeFinal.bind(mailbox)
    mailbox.takeFinal = () => Promise.reject(busy)
    const first = await settleRun(fixture.deps, run, EXITED.exit)
    expect(first).toEqual({ done: false, outcome: 'mailbox-busy', againInMs: 50 })
    expect(await settleRun(fixture.deps, run, EXITED.exit)).toMatchObject({ againInMs: 100 })
    mailbox.takeFinal = takeFinal
    expect(await settleRun(fixture.deps, run, EXITED.exit)).toEqual({ done: true, outcome: 'settled' })
    expect(await fixture.message('m-1')).toMatchObject({ status: 'completed', answered: true })
    expect(await fixture.journalTypes()).not.toContain('mailbox:setAside')
  })

  it('(C2) does not wait for ever', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.deps.mailbox.takeFinal = () => Promise.reject(busy)
    let looks = 0
    while (!(await settleRun(fixture.deps, run, EXITED.exit)).done) looks += 1
    expect(looks).toBe(12)
    expect(await fixture.journalTypes()).toContain('mailbox:setAside')
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending' })
  })
})

describe('(I2, G7) a run that writes faster than it is read', () => {
  it('is left after some batches, to be judged before more is taken', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    let seq = 1
    const { mailbox } = fixture.deps
    let takes = 0
    const empty = { acks: [], replies: [], state: null, sessionState: [], refused: [] }
    mailbox.take = async () => {
      takes += 1
      seq += 2
      return { ...empty, lastSeq: seq, hasMore: true }
    }
    expect(await takeOutbox(fixture.deps, run, false)).toMatchObject({ againInMs: 0 })
    expect(takes).toBe(16)
  })
})
