import { formatTimestamp } from '@sessiond/protocol'
import { FakeWorld, writeAck } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Run } from '../../src/model/run.ts'
import { SupervisorFixture } from './supervisor-fixture.ts'

const HOUR_MS = 3_600_000
const SESSIONS = Array.from({ length: 10 }, (_, index) => `g/s${index}`)
const EXIT = { code: 0, signal: null, oomKilled: false }

let world: FakeWorld
let fixture: SupervisorFixture
/** Runs that heeded their SIGTERM. */
let exited: Set<string>

beforeEach(async () => {
  world = new FakeWorld()
  const agent = { command: ['sh'] }
  fixture = await SupervisorFixture.make({ groups: { g: { agent }, h: { agent } }, runs: { max: 11 } }, world)
  exited = new Set()
  const { process } = fixture
  process.before = (call) => {
    const name = process.calls.at(-1)?.split(' ')[1] ?? ''
    if (call !== 'SIGTERM') return
    exited.add(name)
    setImmediate(() => process.tellExit(name))
  }
  process.inspect = async ({ id }) => (exited.has(id) ? { state: 'exited', exit: EXIT } : { state: 'running' })
})
afterEach(() => fixture.close())

/** Lets virtual time stand nearly still until what must come has come: files and processes take real time. */
async function eventually(look: () => Promise<void>): Promise<void> {
  for (let round = 0; ; round += 1) {
    await world.advance(1)
    const outcome = await look().then(
      () => null,
      (error: unknown) => ({ error }),
    )
    if (outcome === null) return
    if (round === 1_000) throw outcome.error
    await breathe()
  }
}

/** A few real milliseconds, for what must not come to have had its chance. */
async function quiet(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await world.advance(0)
    await breathe()
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3))
}

async function live(): Promise<Run[]> {
  return (await fixture.store.listLiveRuns()).filter((run) => !exited.has(run.name))
}

/** Sessions of the account with a message in hand: in their mailbox, or claimed. */
async function working(): Promise<string[]> {
  const found: string[] = []
  for (const { sessionId, group, state } of await live()) {
    const facts = await fixture.store.readFacts(sessionId, world.now())
    const inHand = (facts?.projectedUnclaimed ?? 0) + (facts?.claimed.length ?? 0)
    if (group === 'g' && (inHand > 0 || state === 'starting')) found.push(sessionId)
  }
  return found.sort()
}

/** Ends what a session has in hand as its run would. */
async function acknowledge(sessionId: string, ack: Record<string, string> = {}): Promise<void> {
  await eventually(async () => {
    expect((await live()).find((one) => one.sessionId === sessionId)?.state).toBe('running')
  })
  const run = (await live()).find((one) => one.sessionId === sessionId)
  const [message] = await fixture.store.listMessages({ sessionId, limit: 1 })
  if (run === undefined || message === undefined) throw new Error(`${sessionId} has nothing in hand`)
  const status = ack.trouble === undefined ? 'completed' : 'failed'
  fixture.write(sessionId, (db) => {
    writeAck(db, message.id, status, { epoch: run.epoch, attempt: message.attempt, ...ack })
  })
}

async function linesOf(prefix: string): Promise<string[]> {
  const lines = (await fixture.journal()).filter(({ type }) => type.startsWith(prefix))
  return lines.map(({ type, detail }) => `${type} ${detail.allowed}`)
}

/** The first session's message runs into a limit that ends in five hours; then all the others get one each. */
async function runIntoLimit(): Promise<number> {
  await fixture.supervisor.start()
  const [first = '', ...others] = SESSIONS
  await fixture.send(first, `m-${first.slice(2)}`)
  await eventually(async () => expect(await working()).toEqual([first]))
  const resetMs = world.now() + 5 * HOUR_MS
  await acknowledge(first, { trouble: 'rate-limit', retry_at: formatTimestamp(resetMs), error: '429' })
  await eventually(async () => expect(await fixture.store.listAccounts()).toMatchObject([{ parkedUntilMs: resetMs }]))
  for (const sessionId of others) {
    await fixture.send(sessionId, `m-${sessionId.slice(2)}`)
    await world.advance(1)
  }
  return resetMs
}

it('(B16) parks the ten sessions of an account until the reset, and no other; then one probes, and ever more work', async () => {
  const resetMs = await runIntoLimit()
  await fixture.send('h/other', 'm-other')
  await eventually(async () => expect((await live()).map(({ sessionId }) => sessionId)).toContain('h/other'))
  await acknowledge('h/other')
  await eventually(async () => expect(await fixture.store.getMessage('m-other')).toMatchObject({ status: 'completed' }))

  await world.advance(resetMs - world.now() - 1)
  await quiet()
  expect(world.now()).toBeLessThan(resetMs)
  expect(await working()).toEqual([])
  expect(await linesOf('run:intended')).toHaveLength(2)

  await world.advance(1)
  await eventually(async () => expect(await working()).toEqual(['g/s1']))
  await quiet()
  expect(await working()).toEqual(['g/s1'])
  expect(await linesOf('account:')).toEqual(['account:parked 0', 'account:probed 0'])

  const widths: number[] = []
  let done = 0
  for (const sessionId of [...SESSIONS.slice(1), SESSIONS[0] ?? '']) {
    await acknowledge(sessionId)
    done += 1
    const [{ allowed = Number.POSITIVE_INFINITY } = {}] = await settledAccounts(done)
    const expected = Math.min(allowed, SESSIONS.length - done)
    await eventually(async () => expect(await working()).toHaveLength(expected))
    await quiet()
    widths.push((await working()).length)
  }
  expect(widths).toEqual([1, 2, 4, 6, 5, 4, 3, 2, 1, 0])
  expect(await linesOf('account:')).toEqual([
    'account:parked 0',
    'account:probed 0',
    'account:ramped 1',
    'account:ramped 2',
    'account:ramped 4',
    'account:ramped 8',
    'account:opened 0',
  ])
  for (const sessionId of [...SESSIONS, 'h/other']) {
    expect(await fixture.store.listMessages({ sessionId, limit: 9 })).toMatchObject([{ status: 'completed', tries: 0 }])
  }
  expect(fixture.errors).toEqual([])
}, 60_000)

/** The accounts that are held back once this many messages of the account are completed. */
async function settledAccounts(completed: number) {
  await eventually(async () => {
    const ended = (await fixture.journal()).filter(({ type }) => type === 'message:completed')
    expect(ended).toHaveLength(completed + 1)
  })
  return fixture.store.listAccounts()
}

it('(H2) a message that ends in trouble for ever becomes a dead letter, and never holds the others up for long', async () => {
  await fixture.supervisor.start()
  await fixture.send('g/poison', 'm-poison')
  for (let round = 0; ; round += 1) {
    await eventually(async () => {
      const { status } = (await fixture.store.getMessage('m-poison')) ?? {}
      expect(status === 'failed' || (await working()).includes('g/poison')).toBe(true)
    })
    if ((await fixture.store.getMessage('m-poison'))?.status === 'failed') break
    await acknowledge('g/poison', { trouble: 'rate-limit', error: '429: this request is too large' })
    await eventually(async () => expect(await working()).not.toContain('g/poison'))
    await fixture.send('g/healthy', `m-${round}`)
    await untilDue('g/healthy')
    await acknowledge('g/healthy')
    await eventually(async () => {
      expect(await fixture.store.getMessage(`m-${round}`)).toMatchObject({ status: 'completed', tries: 0 })
    })
    await untilDue('g/poison')
  }
  expect(await fixture.store.getMessage('m-poison')).toMatchObject({ failure: 'TRIES_EXHAUSTED', attempt: 9, tries: 5 })
  expect((await linesOf('account:')).filter((line) => line.startsWith('account:parked'))).toHaveLength(1)
}, 60_000)

/** Lets time pass until a session works, or has nothing to wait for. */
async function untilDue(sessionId: string): Promise<void> {
  for (;;) {
    await quiet()
    if ((await working()).includes(sessionId)) return
    const dueAtMs = await fixture.store.nextDueAtMs(world.now())
    const [account] = await fixture.store.listAccounts()
    const nextMs = Math.min(dueAtMs ?? Number.POSITIVE_INFINITY, account?.parkedUntilMs ?? Number.POSITIVE_INFINITY)
    if (nextMs === Number.POSITIVE_INFINITY) return
    await world.advance(Math.max(1_000, nextMs - world.now()))
  }
}

it('opens again while its probe works on one long task', async () => {
  const resetMs = await runIntoLimit()
  const isProbe = ({ sessionId }: Run) => sessionId === 'g/s1'
  await world.advance(resetMs - world.now())
  await eventually(async () => expect(await working()).toEqual(['g/s1']))
  await eventually(async () => expect((await live()).find(isProbe)?.state).toBe('running'))
  fixture.write('g/s1', (db) => writeAck(db, 'm-s1', 'processing', { epoch: 1, attempt: 1 }))
  await eventually(async () => expect(await fixture.store.getMessage('m-s1')).toMatchObject({ status: 'claimed' }))
  await world.advance(60_000)
  await world.advance(60_000)
  await eventually(async () => expect(await working()).toHaveLength(2))
  await world.advance(60_000)
  await eventually(async () => expect(await working()).toHaveLength(4))
}, 60_000)

it('gives a warm run of a parked account nothing, lets it go, and has it wait in line with the others', async () => {
  await fixture.supervisor.start()
  await fixture.send('g/warm', 'm-warm')
  await fixture.send('g/limited', 'm-limited')
  await eventually(async () => expect(await working()).toEqual(['g/limited', 'g/warm']))
  await acknowledge('g/warm')
  await eventually(async () => expect(await working()).toEqual(['g/limited']))
  await acknowledge('g/limited', { trouble: 'outage', error: 'no answer' })
  await eventually(async () => expect(await fixture.store.listAccounts()).toHaveLength(1))
  const parkedUntilMs = (await fixture.store.listAccounts())[0]?.parkedUntilMs ?? 0
  expect(parkedUntilMs - world.now()).toBeGreaterThan(50_000)
  await fixture.send('g/warm', 'm-next')
  await eventually(async () => expect((await live()).map(({ sessionId }) => sessionId)).not.toContain('g/warm'))
  expect(await fixture.store.getMessage('m-next')).toMatchObject({ status: 'pending', attempt: 0, tries: 0 })
  const stopped = (await fixture.journal()).filter(({ type }) => type === 'run:stopRequested').at(-1)
  expect(stopped?.detail).toMatchObject({ end: 'idle', evidence: { because: 'account-parked', account: 'g', due: 1 } })
  await world.advance(parkedUntilMs - world.now())
  await eventually(async () => expect(await working()).toEqual(['g/warm']))
  await quiet()
  expect(await working()).toEqual(['g/warm'])
  const next = { action: 'leave', because: 'account-probing' }
  await eventually(async () => expect(await fixture.supervisor.explain('g/limited')).toMatchObject(next))
}, 60_000)
