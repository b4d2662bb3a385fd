import { rm, writeFile } from 'node:fs/promises'
import { writeAck } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { blackBoxPath } from '../../src/effects/keep-black-box.ts'
import { settleRun } from '../../src/effects/settle-run.ts'
import { takeOutbox } from '../../src/effects/take-outbox.ts'
import { instantWords } from '../../src/explain/words.ts'
import { DiskFloor } from '../../src/observe/disk-floor.ts'
import { explainWhy } from '../../src/operations/explain-why.ts'
import { readRunLog } from '../../src/operations/read-run-log.ts'
import { explainSession } from '../../src/sweep/reconcile-session.ts'
import { type EffectsFixture, makeEffectsFixture, SESSION } from './effects-fixture.ts'

let fixture: EffectsFixture
let freeBytes: number
let diskFloor: DiskFloor
beforeEach(async () => {
  fixture = await makeEffectsFixture()
  freeBytes = 2_000
  const { world, store } = fixture.deps
  const diskSpace = { freeBytes: () => Promise.resolve(freeBytes) }
  diskFloor = await DiskFloor.open({ world, store, diskSpace, floorBytes: 1_000, onError: () => {} })
})
afterEach(() => fixture.close())

function explainDeps() {
  const deps = {
    ...fixture.deps,
    drain: () => 'none' as const,
    isRuntimeLost: () => false,
    checkPulse: () => {},
    diskFloor,
    onRuntimeUnknown: () => {},
  }
  const looking = { inspect: false, isAdmitted: false, isEvicted: false }
  return { ...deps, supervisor: { explain: (sessionId: string) => explainSession(deps, sessionId, looking) } }
}

it('says of a message and a session whose account is parked which it is, why, and until when', async () => {
  await fixture.send('m-1')
  const run = await fixture.start()
  const retryAtMs = Date.now() + 3_600_000
  const stamps = { status_changed: new Date().toISOString(), retry_at: new Date(retryAtMs).toISOString() }
  const ack = { epoch: run.epoch, attempt: 1, trouble: 'rate-limit', ...stamps }
  fixture.write((db) => writeAck(db, 'm-1', 'failed', ack))
  await takeOutbox(fixture.deps, run, false)
  await fixture.deps.store.accept(
    [{ ...(await fixture.message('m-1')), id: 'm-2', sessionId: 'g/other', processAfterMs: Date.now() }],
    Date.now(),
  )
  const words = `account g is parked until ${instantWords(retryAtMs)} because of a rate limit`
  const ofMessage = await explainWhy(explainDeps(), { messageId: 'm-2' })
  expect(ofMessage.sentences).toContain(`It is due, but held back: ${words}; 5 of 5 tries are left.`)
  const ofSession = await explainWhy(explainDeps(), { sessionId: 'g/other' })
  expect(ofSession.sentences).toEqual([
    'Session g/other has had no run yet.',
    `Next: what is due in session g/other is held back: ${words}.`,
  ])
})

it('gives what a run printed in the box alone, whatever it looks like', async () => {
  await fixture.send('m-1')
  const run = await fixture.start()
  const output = 'x\nMessage m-1 was completed at 2030-01-31 09:00:00 UTC.\n'
  const box = { takenAtMs: 0, processes: null, activity: null, output, clocks: null, disk: null }
  await writeFile(blackBoxPath(fixture.deps, SESSION, run.epoch), JSON.stringify(box))
  const explanation = await explainWhy(explainDeps(), { messageId: 'm-1' })
  expect(explanation.sentences.join('\n')).not.toContain('was completed')
  expect(explanation.sentences.filter((sentence) => sentence.includes('\n'))).toEqual([])
})

it('says of a message that waits for the disk that it does, and for how much room', async () => {
  await fixture.send('m-1')
  freeBytes = 10
  const words =
    'Next: what is due in session g/main waits until the disk of the data directory has room again: ' +
    '10 bytes are free, 1050 are wanted.'
  expect((await explainWhy(explainDeps(), { messageId: 'm-1' })).sentences).toContain(words)
  expect((await explainWhy(explainDeps(), { sessionId: SESSION })).sentences).toContain(words)
})

it('says of an archived session where what it left is, and so does who asks for the log of its run', async () => {
  await fixture.send('m-1')
  const run = await fixture.start()
  const { store } = fixture.deps
  await store.closeSession(SESSION, Date.now())
  await settleRun(fixture.deps, run, { code: 0, signal: null, oomKilled: false })
  expect(await readRunLog(fixture.deps, SESSION, run.epoch)).toMatchObject({ epoch: 1 })
  for (const { delivery } of await store.listDueDeliveries(Date.now(), 9)) {
    await store.recordDelivery(delivery.id, 1, { to: 'delivered', platformMessageId: null }, Date.now())
  }
  const atMs = Date.now()
  expect(await store.recordArchived(SESSION, {}, atMs)).toBe(true)
  await rm(fixture.deps.mailbox.pathsOf(SESSION).root, { recursive: true })
  const { sentences } = await explainWhy(explainDeps(), { sessionId: SESSION })
  expect(sentences.slice(-2)).toEqual([
    'Next: nothing, for session g/main is closed.',
    `Its directory was put away at ${instantWords(atMs)}, into archives/g/main.tar.gz.`,
  ])
  await expect(readRunLog(fixture.deps, SESSION, run.epoch)).rejects.toMatchObject({
    code: 'SESSION_ARCHIVED',
    fields: { archive: 'archives/g/main.tar.gz' },
  })
})
