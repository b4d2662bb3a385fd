import { join } from 'node:path'
import { INBOUND_DB, parseRetryBrief, type RetryBrief } from '@sessiond/protocol'
import { withDatabase, writeAck, writeReply } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { projectMailbox } from '../../src/effects/project-mailbox.ts'
import { settleRun } from '../../src/effects/settle-run.ts'
import { takeOutbox } from '../../src/effects/take-outbox.ts'
import { type EffectsFixture, makeEffectsFixture, SESSION } from './effects-fixture.ts'

const CRASHED = { code: 1, signal: null, oomKilled: false }

let fixture: EffectsFixture
beforeEach(async () => {
  fixture = await makeEffectsFixture()
})
afterEach(() => fixture.close())

const text = (words: string) => JSON.stringify({ text: words })

/** What the run's own mailbox tells it of a message's earlier tries. */
function briefOf(id: string): RetryBrief | null {
  let brief: RetryBrief | null = null
  withDatabase(join(fixture.deps.mailbox.pathsOf(SESSION).in, INBOUND_DB), (db) => {
    brief = parseRetryBrief(db.prepare('SELECT brief FROM messages_in WHERE id = ?').get(id)?.brief)
  })
  return brief
}

it('a retry is told what its last try said, and nothing that was said before it', async () => {
  await fixture.send('m-1')
  const run = await fixture.start()
  expect(briefOf('m-1')).toBeNull()
  fixture.write((db) => writeReply(db, 1, { epoch: 1, content: text('Deployed.') }))
  await takeOutbox(fixture.deps, run, false)
  // The claim is later, if only by a millisecond, than what was said before it.
  const saidAtMs = Date.now()
  await vi.waitUntil(() => Date.now() > saidAtMs, { interval: 1 })
  fixture.write((db) => writeAck(db, 'm-1', 'processing', { epoch: 1, attempt: 1 }))
  await takeOutbox(fixture.deps, await fixture.liveRun(), false)
  fixture.write((db) => {
    for (let seq = 3; seq < 203; seq += 2)
      writeReply(db, seq, { epoch: 1, content: text(`step ${seq} ${'x'.repeat(50_000)}`) })
  })
  await takeOutbox(fixture.deps, await fixture.liveRun(), false)
  await settleRun(fixture.deps, await fixture.liveRun(), CRASHED)

  const retry = (await fixture.deps.store.nextDueAtMs(Date.now())) ?? Date.now()
  vi.useFakeTimers({ now: Math.max(retry, Date.now()) + 60_000, toFake: ['Date'] })
  try {
    await fixture.start()
  } finally {
    vi.useRealTimers()
  }
  const brief = briefOf('m-1')
  expect(brief).toMatchObject({ attempt: 2, tries: 1, maxTries: 5, lastEnd: 'the run ended by itself (code 1)' })
  expect(brief?.said.every((said) => said.startsWith('step ') && said.length <= 1_000)).toBe(true)
  expect(brief?.said.length).toBeGreaterThan(0)
  expect(brief?.said.length).toBeLessThanOrEqual(3)

  const listed = vi.spyOn(fixture.deps.store, 'listReplies')
  await projectMailbox(fixture.deps, await fixture.liveRun(), false)
  expect(listed, 'what was found once is kept').not.toHaveBeenCalled()
})
