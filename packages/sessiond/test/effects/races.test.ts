import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { INBOUND_DB, OUTBOUND_DB } from '@sessiond/protocol'
import { withDatabase, writeAck, writeReply } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { abortStart } from '../../src/effects/abort-start.ts'
import { adoptRun } from '../../src/effects/adopt-run.ts'
import { projectMailbox } from '../../src/effects/project-mailbox.ts'
import { settleRun } from '../../src/effects/settle-run.ts'
import { startRun } from '../../src/effects/start-run.ts'
import { killRun, quarantineRun, stopRun } from '../../src/effects/stop-run.ts'
import { takeOutbox } from '../../src/effects/take-outbox.ts'
import type { Run } from '../../src/model/run.ts'
import { RunWatches } from '../../src/observe/run-watch.ts'
import { type EffectsFixture, makeEffectsFixture, SESSION } from './effects-fixture.ts'

const WINDOW = { messages: 10, bytes: 1_000_000 }

let fixture: EffectsFixture
beforeEach(async () => {
  fixture = await makeEffectsFixture()
})
afterEach(() => fixture.close())

/** A run the decision was made on, which has since ended and been followed by another. */
async function staleAndLive(): Promise<{ stale: Run; live: Run }> {
  await fixture.send('m-1')
  const stale = await fixture.start()
  await fixture.endBehindTheBack(stale)
  fixture.deps.watches.drop({ sessionId: SESSION, epoch: stale.epoch, name: stale.name })
  const live = await fixture.start()
  fixture.runtime.calls.length = 0
  return { stale, live }
}

describe('an effect decided on a run that has since ended', () => {
  it.each<[string, (stale: Run) => Promise<{ done: boolean }>]>([
    ['stop', (stale) => stopRun(fixture.deps, stale, 'idle', {})],
    ['kill', (stale) => killRun(fixture.deps, stale)],
    ['quarantine', (stale) => quarantineRun(fixture.deps, stale)],
    ['settle', (stale) => settleRun(fixture.deps, stale, null)],
  ])('%s does nothing, to it or to its successor', async (_, effect) => {
    const { stale, live } = await staleAndLive()
    const before = await fixture.journalTypes()
    expect(await effect(stale)).toMatchObject({ done: false })
    expect(await fixture.liveRun()).toEqual(live)
    expect(fixture.runtime.calls).toEqual([])
    expect(await fixture.journalTypes()).toEqual(before)
  })

  it('project leaves the successor’s window and mailbox alone', async () => {
    const { stale, live } = await staleAndLive()
    const before = await fixture.message('m-1')
    const inbound = await readFile(join(fixture.deps.mailbox.pathsOf(SESSION).in, INBOUND_DB))
    expect(await projectMailbox(fixture.deps, stale, false)).toEqual({ done: false, outcome: 'run-not-live' })
    expect(await readFile(join(fixture.deps.mailbox.pathsOf(SESSION).in, INBOUND_DB))).toEqual(inbound)
    expect(await fixture.message('m-1')).toEqual(before)
    expect(before).toMatchObject({ projectedEpoch: live.epoch, attempt: 2 })
  })

  it('(B4, A3) take-outbox counts nothing a late hand wrote for the old run', async () => {
    const { stale, live } = await staleAndLive()
    fixture.write((db) => writeAck(db, 'm-1', 'completed', { epoch: stale.epoch, attempt: 1 }))
    await takeOutbox(fixture.deps, stale, false)
    await takeOutbox(fixture.deps, live, false)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', projectedEpoch: live.epoch })
  })

  it('adopt records nothing but that it was looked at', async () => {
    const { stale, live } = await staleAndLive()
    await adoptRun(fixture.deps, stale)
    expect(await fixture.liveRun()).toEqual(live)
  })
})

describe('start', () => {
  it('gives way when another start came first', async () => {
    await fixture.send('m-1')
    const live = await fixture.start()
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'live-run' })
    expect(await fixture.liveRun()).toEqual(live)
  })

  it('gives way when the work was cancelled before it', async () => {
    await fixture.send('m-1')
    await fixture.deps.store.requestCancel('m-1', Date.now())
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'not-due' })
    expect(fixture.runtime.calls).toEqual([])
  })

  it('gives way when the session was closed before it', async () => {
    await fixture.send('m-1')
    await fixture.deps.store.closeSession(SESSION, Date.now())
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'closed' })
  })

  it('takes its container back when the run was ended while it was made, and lets nothing run', async () => {
    await fixture.send('m-1')
    fixture.runtime.before = async (call) => {
      if (call === 'create') await fixture.endBehindTheBack(await fixture.liveRun())
    }
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'run-not-live' })
    expect(fixture.runtime.calls.map((call) => call.split(' ')[0])).toEqual(['create', 'remove'])
  })

  it('ends no run whose start failed while it may be running', async () => {
    await fixture.send('m-1')
    fixture.runtime.before = (call) => {
      if (call === 'start') throw new Error('timed out')
    }
    await expect(startRun(fixture.deps, SESSION, fixture.group)).rejects.toThrow('timed out')
    expect(await fixture.liveRun()).toMatchObject({ state: 'starting', epoch: 1 })
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'live-run' })
  })

  it('backs off after an unexpected failure, spending no try', async () => {
    await fixture.send('m-1')
    fixture.runtime.before = () => {
      throw new TypeError('a bug')
    }
    await startRun(fixture.deps, SESSION, fixture.group)
    expect(await startRun(fixture.deps, SESSION, fixture.group)).toEqual({ done: false, outcome: 'back-off' })
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', tries: 0, projectedEpoch: null })
    expect((await fixture.deps.store.getSession(SESSION))?.spawnFailures).toBe(1)
  })
})

describe('abort-start', () => {
  it('keeps a run that turns out to have been let go', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    const lost = { ...run, state: 'starting', handle: null } as const
    expect(await abortStart(fixture.deps, lost)).toEqual({ done: true, outcome: 'found-running' })
    expect(await fixture.liveRun()).toMatchObject({ name: run.name, end: null })
  })

  it('(D13) leaves everything when the runtime cannot say', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.runtime.seen = { state: 'unknown', because: 'no answer' }
    expect(await abortStart(fixture.deps, run)).toEqual({ done: false, outcome: 'runtime-unknown' })
    expect(await fixture.liveRun()).toEqual(run)
  })

  it('removes what was created and hands the message out again without a try', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.runtime.seen = { state: 'created' }
    expect(await abortStart(fixture.deps, run)).toEqual({ done: true, outcome: 'settled' })
    expect(fixture.runtime.runs.size).toBe(0)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', tries: 0, projectedEpoch: null })
  })
})

describe('take-outbox', () => {
  it('counts the failure of a runner that writes no attempt once, also after a restart of the host', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    const fail = (at: string) => fixture.write((db) => writeAck(db, 'm-1', 'failed', { status_changed: at }))
    const handOutAnew = () => fixture.deps.store.fillWindow(run, Date.now() + 3_600_000, WINDOW, false)
    fail('2030-01-01 00:00:00')
    await takeOutbox(fixture.deps, run, false)
    await handOutAnew()
    await takeOutbox({ ...fixture.deps, watches: new RunWatches() }, run, false)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', projectedEpoch: 1, attempt: 2, tries: 1 })
    fail('2030-01-01 00:00:09')
    await takeOutbox(fixture.deps, run, false)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', projectedEpoch: null, tries: 2 })
  })

  it('journals evidence that does not count once, also when the first commit of it failed', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.write((db) => {
      writeAck(db, 'unknown', 'failed')
      writeAck(db, 'm-1', 'finished')
    })
    const ignored = async () => (await fixture.journalTypes()).filter((type) => type === 'evidence:ignored').length
    const full = vi.spyOn(fixture.deps.store, 'takeOutbox').mockRejectedValueOnce(new Error('the disk is full'))
    await expect(takeOutbox(fixture.deps, run, false)).rejects.toThrow('the disk is full')
    expect(await ignored()).toBe(0)
    await takeOutbox(fixture.deps, run, false)
    expect(await ignored()).toBe(2)
    await takeOutbox(fixture.deps, run, false)
    expect(await ignored()).toBe(2)
    full.mockRestore()
  })
})

describe('an account that is parked meanwhile', () => {
  const park = async (sessionId: string, run: Run) => {
    const at = new Date(Date.now() + 3_600_000).toISOString()
    const ack = { epoch: run.epoch, attempt: 1, trouble: 'rate-limit', retry_at: at }
    withDatabase(join(fixture.deps.mailbox.pathsOf(sessionId).out, OUTBOUND_DB), (db) => {
      writeAck(db, 'm-1', 'failed', ack)
    })
    await takeOutbox(fixture.deps, run, false)
  }
  const other = async () => {
    const message = { ...(await fixture.message('m-1')), id: 'm-2', sessionId: 'g/other' }
    await fixture.deps.store.accept([message], Date.now())
  }

  it('(D21) gives a start that was decided before no run, and its message no try', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    await other()
    await park(SESSION, run)
    expect(await startRun(fixture.deps, 'g/other', fixture.group)).toEqual({ done: false, outcome: 'account-parked' })
    expect(await fixture.message('m-2')).toMatchObject({ status: 'pending', attempt: 0, tries: 0 })
  })

  it('gives a run nothing that was begun before and whose window is only filled now', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    await other()
    fixture.world.boundary = async (name) => {
      if (name === 'start:intended') await park(SESSION, run)
    }
    expect(await startRun(fixture.deps, 'g/other', fixture.group)).toMatchObject({ done: true })
    expect(await fixture.message('m-2')).toMatchObject({ status: 'pending', projectedEpoch: null, attempt: 0 })
    const facts = await fixture.deps.store.readFacts('g/other', Date.now())
    expect(facts).toMatchObject({ barred: { account: 'g', due: 1 }, dueUnprojected: 0, projectedUnclaimed: 0 })
  })

  it('is parked by what a run said just before it died, and the death spends no try', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    const ack = { epoch: run.epoch, attempt: 1, trouble: 'outage' }
    fixture.write((db) => writeAck(db, 'm-1', 'failed', ack))
    await settleRun(fixture.deps, run, { code: 137, signal: null, oomKilled: false })
    expect(await fixture.message('m-1')).toMatchObject({ status: 'pending', tries: 0 })
    expect(await fixture.deps.store.listAccounts()).toMatchObject([{ name: 'g', state: 'parked', reason: 'outage' }])
  })
})

describe('settle', () => {
  it('keeps recordings and black boxes of the newest 20 runs, and every log', async () => {
    const { runs } = fixture.deps.mailbox.pathsOf(SESSION)
    await fixture.send('m-1')
    for (let epoch = 1; epoch <= 25; epoch += 1) {
      const run = await fixture.start()
      await writeFile(join(runs, `${run.epoch}.blackbox.json`), '{}')
      await writeFile(join(runs, `${run.epoch}.log`), 'words')
      await stopRun(fixture.deps, run, 'idle', {})
      expect(await settleRun(fixture.deps, await fixture.liveRun(), null)).toMatchObject({ done: true })
    }
    const names = await readdir(runs)
    const kept = (suffix: string) => {
      const epochs = names.filter((name) => name.endsWith(suffix)).map((name) => Number.parseInt(name, 10))
      return epochs.sort((a, b) => a - b)
    }
    const newest = Array.from({ length: 20 }, (_, at) => at + 6)
    expect(kept('.recording.jsonl')).toEqual(newest)
    expect(kept('.blackbox.json')).toEqual(newest)
    expect(kept('.log')).toHaveLength(25)
  })

  it('is done also where nothing old can be removed', async () => {
    await fixture.send('m-1')
    const { runs } = fixture.deps.mailbox.pathsOf(SESSION)
    const run = await fixture.start()
    const folders = Array.from({ length: 30 }, (_, at) => join(runs, `${at + 100}.recording.jsonl`))
    for (const folder of folders) await mkdir(folder)
    expect(await settleRun(fixture.deps, run, null)).toMatchObject({ done: true })
  })

  it('(B3) completes what was answered just before the run died, and counts the claim once', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.write((db) => writeAck(db, 'm-1', 'processing', { epoch: run.epoch, attempt: 1 }))
    fixture.write((db) => writeReply(db, 1, { in_reply_to: 'm-1', epoch: run.epoch }))
    expect(await settleRun(fixture.deps, run, { code: 137, signal: null, oomKilled: false })).toMatchObject({
      done: true,
    })
    expect(await fixture.message('m-1')).toMatchObject({ status: 'completed', answered: true, tries: 0 })
  })

  it('ends a message as cancelled when the request came after the run’s exit was seen', async () => {
    await fixture.send('m-1')
    const run = await fixture.start()
    fixture.write((db) => writeAck(db, 'm-1', 'processing', { epoch: run.epoch, attempt: 1 }))
    await takeOutbox(fixture.deps, run, false)
    fixture.world.boundary = async (name) => {
      if (name === 'settle:taken') await fixture.deps.store.requestCancel('m-1', Date.now())
    }
    await settleRun(fixture.deps, run, null)
    expect(await fixture.message('m-1')).toMatchObject({ status: 'failed', failure: 'CANCELLED', tries: 0 })
  })
})
