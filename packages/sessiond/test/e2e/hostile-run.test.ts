import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { HostEvent } from '../../src/api.ts'
import type { GroupOptions } from '../../src/config/options.ts'
import type { JournalType } from '../../src/model/journal.ts'
import { cleanUp, shellGroup, startHost, type TestHost } from './harness.ts'
import type { Evil } from './programs/hostile-run.ts'

afterEach(cleanUp)

const PROGRAM = fileURLToPath(new URL('./programs/hostile-run.ts', import.meta.url))

function hostileGroup(change: GroupOptions = {}): GroupOptions {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM]
  const stuck = { claimSilent: '3s', ceiling: '20s' }
  return { runner: { command }, stuck, retry: { maxTries: 2, base: '20ms', max: '50ms' }, ...change }
}

const MODES = ['fifo', 'link', 'garbage', 'lock', 'delete'] as const

function send(test: TestHost, session: string, evil: Evil): Promise<unknown> {
  return test.host.send({ group: 'hostile', session, id: `m-${session}`, text: JSON.stringify(evil) })
}

function eventsOf(test: TestHost, type: JournalType, session: string) {
  return test.events.filter((event) => event.type === type && event.sessionId === `hostile/${session}`)
}

async function untilOf(test: TestHost, type: JournalType, session: string, nth = 1): Promise<void> {
  await test.until(`${type} ${nth} of ${session}`, () => eventsOf(test, type, session).length >= nth)
}

/** A neighbour has a conversation and gets every answer. */
async function converse(test: TestHost, words: readonly string[]): Promise<void> {
  for (const word of words) {
    await test.host.send({ group: 'shell', id: word, text: `echo ${word}` })
    await test.until(word, (event) => event.type === 'message:completed' && event.messageId === word)
  }
}

describe('runs that are enemies', () => {
  it('(G4, G5, I1, I2) whatever they do to their mailboxes, a neighbour is answered and their messages end', async () => {
    const test = await startHost({ hostile: hostileGroup(), shell: shellGroup('process') })
    const storeBefore = readFileSync(join(test.dataDir, 'store.db')).subarray(0, 16).toString('latin1')
    for (const mode of MODES) await send(test, mode, { mode })
    for (const mode of MODES) await untilOf(test, 'message:claimed', mode)
    await converse(test, ['one', 'two', 'three'])
    // The neighbour's whole conversation took place while every one of them was alive and in nobody's way.
    expect(test.events.filter((event) => event.type === 'run:exited')).toEqual([])
    for (const mode of MODES) {
      await untilOf(test, 'message:failed', mode)
      const { message } = await test.host.showMessage(`m-${mode}`)
      expect(message).toMatchObject({ status: 'failed', failure: 'TRIES_EXHAUSTED', tries: 2, deadLetter: true })
      const ends = eventsOf(test, 'run:stopRequested', mode).map((event) => event.detail.end)
      expect({ mode, ends }).toEqual({ mode, ends: ['claim-silent', 'claim-silent'] })
    }
    for (const mode of ['fifo', 'link', 'garbage']) {
      expect({ mode, count: eventsOf(test, 'mailbox:setAside', mode).length }).toEqual({ mode, count: 2 })
      // (H2) Why it was not heard is told, once a run and not at every look.
      const told = eventsOf(test, 'evidence:ignored', mode).filter((event) => event.detail.what === 'outbox')
      expect({ mode, told: told.length }).toEqual({ mode, told: 2 })
    }
    expect(eventsOf(test, 'session:errored', 'lock')).toEqual([])
    expect(readFileSync(join(test.dataDir, 'store.db')).subarray(0, 16).toString('latin1')).toBe(storeBefore)
    await converse(test, ['four'])
    expect((await test.host.health()).problems).toEqual([])
  })

  it.each(MODES)('can be stopped and closed after %s', async (mode) => {
    const stuck = { claimSilent: '1h', ceiling: '2h' }
    const test = await startHost({ hostile: hostileGroup({ stuck }) })
    await send(test, 'a', { mode })
    await send(test, 'b', { mode })
    await untilOf(test, 'message:claimed', 'a')
    await untilOf(test, 'message:claimed', 'b')
    expect(await test.host.stopSession('hostile/a')).toEqual({ cancelled: 1, runStopped: true })
    expect(await test.host.closeSession('hostile/b')).toBe('closed')
    await untilOf(test, 'run:exited', 'a')
    await untilOf(test, 'run:exited', 'b')
    expect((await test.host.showMessage('m-a')).message).toMatchObject({ status: 'failed', failure: 'CANCELLED' })
    expect((await test.host.showMessage('m-b')).message).toMatchObject({ status: 'failed', failure: 'SESSION_CLOSED' })
  })

  it('(B13, D19) one that floods its outbox with 100,000 rows delays no neighbour, and none is lost', async () => {
    const test = await startHost({ hostile: hostileGroup({ stuck: {} }), shell: shellGroup('process') })
    await send(test, 'rows', { mode: 'rows' })
    await test.until('the flood', (event) => event.reply?.content === '{"text":"flood"}')
    await converse(test, ['one', 'two', 'three'])
    expect(eventsOf(test, 'message:completed', 'rows')).toHaveLength(1)
    const isFlood = (event: HostEvent) => event.reply?.content === '{"text":"flood"}'
    expect(test.events.filter(isFlood).length).toBeLessThan(100_000)
    await test.until('the last of it', (event) => event.reply?.seq === 200_001)
    expect(test.events.filter(isFlood)).toHaveLength(100_000)
  }, 120_000)

  it('(G7) one that answers for others changes nothing of theirs, and is told apart in the journal', async () => {
    const test = await startHost({ hostile: hostileGroup({ stuck: {} }), shell: shellGroup('process') })
    await converse(test, ['done'])
    const theirReply = test.events.find((event) => event.reply?.inReplyTo === 'done')?.reply?.id ?? ''
    await test.host.send({ group: 'shell', session: 'later', id: 'theirs', text: 'echo theirs', after: '1h' })
    await test.host.send({ group: 'shell', session: 'busy', id: 'working', text: 'sleep 600' })
    await test.until('the work', (event) => event.type === 'message:claimed' && event.messageId === 'working')
    await test.host.send({ group: 'hostile', session: 'forger', id: 'future', text: 'not yet', after: '1h' })
    const ids = ['theirs', 'working', 'future', 'never-given', 'done', theirReply]
    await send(test, 'forger', { mode: 'strangers', ids })
    await untilOf(test, 'message:completed', 'forger')
    await converse(test, ['on'])
    const statusOf = async (id: string) => (await test.host.showMessage(id)).message.status
    expect(await Promise.all(['theirs', 'working', 'future', 'm-forger'].map(statusOf))).toEqual([
      'pending',
      'claimed',
      'pending',
      'completed',
    ])
    for (const id of ['theirs', 'working', 'future']) {
      expect((await test.host.showMessage(id)).message).toMatchObject({ answered: false, tries: 0 })
    }
    expect((await test.host.showMessage('done')).replies.map((reply) => reply.id)).toEqual([theirReply])
    const ignored = eventsOf(test, 'evidence:ignored', 'forger').map(({ messageId, detail }) => [
      messageId,
      detail.because,
    ])
    expect(ignored).toEqual(
      expect.arrayContaining([
        ['theirs', 'unknown-message'],
        ['working', 'unknown-message'],
        ['future', 'attempt-not-given'],
        ['never-given', 'unknown-message'],
      ]),
    )
    const told = test.events.filter((event) => event.reply?.sessionId === 'hostile/forger')
    expect(told.filter((event) => event.reply?.inReplyTo !== null).map((event) => event.reply?.inReplyTo)).toEqual([
      'm-forger',
    ])
  })

  it('(G7, G8) one that asks 10,000 things at once gets what a minute allows, for its own session alone', async () => {
    const test = await startHost({ hostile: hostileGroup({ stuck: {} }), shell: shellGroup('process') })
    const { series } = await test.host.schedule({ group: 'shell', text: 'echo theirs', cron: '0 9 * * *' })
    await send(test, 'asker', { mode: 'requests', ids: [series.id] })
    await untilOf(test, 'message:completed', 'asker')
    await converse(test, ['one', 'two'])
    const { requestsPerMinute } = PROTOCOL_LIMITS
    await untilOf(test, 'request:answered', 'asker', requestsPerMinute)
    await test.until('the rest to be refused', () => {
      const ignored = eventsOf(test, 'evidence:ignored', 'asker').filter(({ detail }) => detail.because === 'too-many')
      return ignored.reduce((sum, { detail }) => sum + Number(detail.count), 0) > 9_900
    })
    const all = await test.host.listSeries({ limit: 200 })
    const theirs = all.filter(({ sessionId }) => sessionId === 'hostile/asker')
    expect(theirs.length).toBeGreaterThan(0)
    expect(theirs.length).toBeLessThan(requestsPerMinute)
    expect(all.filter(({ sessionId }) => sessionId !== 'hostile/asker')).toEqual([series])
    expect(eventsOf(test, 'request:answered', 'asker')).toHaveLength(requestsPerMinute)
    expect((await test.host.health()).problems).toEqual([])
  }, 60_000)

  it.runIf(process.platform === 'linux')(
    '(C13) fifty hostile turns leave no descriptor behind',
    async () => {
      const retry = { maxTries: 10, base: '20ms', max: '20ms' }
      const test = await startHost({ hostile: hostileGroup({ retry }) })
      await Promise.all(MODES.map((mode) => send(test, mode, { mode, dies: true })))
      await test.untilType('run:exited', 10)
      const before = readdirSync('/proc/self/fd').length
      for (const mode of MODES) await untilOf(test, 'message:failed', mode)
      await test.untilType('run:exited', 50)
      // Sockets of runs that are just starting or ending come and go; a leak would show fifty times.
      expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 5)
    },
    60_000,
  )
})

describeWithEngine('two runtimes in one host', () => {
  beforeAll(ensureTestImages, 120_000)

  it('work side by side, each session in its own', async () => {
    const test = await startHost({ near: shellGroup('process'), far: shellGroup('docker') })
    const script = 'test -d /sessiond && echo container || echo process'
    for (const group of ['near', 'far']) await test.host.send({ group, id: group, text: script })
    await test.untilType('message:completed', 2)
    const replyOf = async (id: string) => (await test.host.showMessage(id)).replies.map((reply) => reply.content)
    expect(await replyOf('near')).toEqual(['{"text":"process"}'])
    expect(await replyOf('far')).toEqual(['{"text":"container"}'])
    expect((await test.host.listRuns('near/main'))[0]?.runtime).toBe('process')
    expect((await test.host.listRuns('far/main'))[0]?.runtime).toBe('docker')
  })
})
