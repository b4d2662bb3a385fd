import { PROVIDER } from '@sessiond/testkit'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLedgerNow } from '../../src/decide/check-ledger.ts'
import { DEFAULT_PLAN } from '../../src/decide/parse-schedule.ts'
import type { Message } from '../../src/model/message.ts'
import type { LedgerLine, Schedule, Series, SeriesPlan } from '../../src/model/series.ts'
import { Database } from '../../src/store/sqlite/database.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { RunKey, Settlement } from '../../src/store/store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.UTC(2030, 0, 1)
const SESSIONS = ['g/a', 'g/b', 'g/c'] as const

/** What happens to the host and its agents; drawn anew for every scene. */
interface Scene {
  readonly plans: readonly Partial<SeriesPlan>[]
  /** Draws in [0, 1), used round and round. */
  readonly luck: readonly number[]
  readonly days: number
}

const cron = (expression: string): Schedule => {
  return { kind: 'cron', expression, seconds: false, gap: 'after', repeated: 'first' }
}

const schedules: readonly Schedule[] = [
  cron('0 9 * * *'),
  cron('30 2 * * *'),
  cron('0 */6 * * *'),
  cron('15 8 * * 1-5'),
  cron('0 0 1 * *'),
  { kind: 'every', everyMs: 5 * HOUR, anchorMs: START },
  { kind: 'every', everyMs: 36 * HOUR, anchorMs: START - 7 * MINUTE },
  { kind: 'once', atMs: START + 40 * DAY },
]

const plan: fc.Arbitrary<Partial<SeriesPlan>> = fc.record({
  schedule: fc.constantFrom(...schedules),
  timeZone: fc.constantFrom(
    null,
    'UTC',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/New_York',
  ),
  onZoneChange: fc.constantFrom('keep-wall-clock', 'keep-instant'),
  overlap: fc.constantFrom('skip', 'queue', 'replace', 'allow'),
  missed: fc.record({
    run: fc.constantFrom('newest', 'each', 'none'),
    max: fc.constantFrom(1, 3, 50),
    withinMs: fc.constantFrom(null, 2 * HOUR, 3 * DAY),
    until: fc.constantFrom(null, '11:00'),
  }),
  staggerMs: fc.constantFrom(0, 10 * MINUTE),
  maxRuns: fc.constantFrom(null, null, null, 20),
  backOffAfterFailures: fc.constantFrom(null, 2, 8),
  pauseAfterFailures: fc.constantFrom(null, null, 12),
})

const scene: fc.Arbitrary<Scene> = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 5 }),
  luck: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 50, maxLength: 200 }),
  days: fc.constant(730),
})

/** A host on the real store and the real decisions, in virtual time. It is switched off, crashes and sleeps as luck has it. */
class Years {
  readonly store: SqliteStore
  readonly #scene: Scene
  readonly #runs = new Map<string, RunKey>()
  #nowMs = START
  #drawn = 0
  #epochs = 0

  constructor(drawn: Scene) {
    const db = new Database(':memory:', { readOnly: false, busyTimeoutMs: 0 })
    migrate(db, () => 'i1')
    let made = 0
    this.store = new SqliteStore(db, '/nowhere', { newId: (prefix) => `${prefix}${++made}`, defer: queueMicrotask })
    this.#scene = drawn
  }

  async live(): Promise<void> {
    await this.store.assignZones(new Map([['g', 'Europe/Berlin']]), START)
    const address = { platformId: null, channelType: null, threadId: null }
    for (const [index, each] of this.#scene.plans.entries()) {
      const sessionId = SESSIONS[index % SESSIONS.length] ?? SESSIONS[0]
      const base = { kind: 'task', content: '{"text":"x"}', address, sourceSessionId: null, group: 'g' } as const
      const made = { ...DEFAULT_PLAN, schedule: cron('0 9 * * *'), ...each }
      const series = await this.store.createSeries({ ...base, id: `t-${index}`, sessionId, plan: made }, START)
      if (series instanceof Error) throw series
    }
    const endMs = START + this.#scene.days * DAY
    while (this.#nowMs < endMs) {
      await this.#lookAtSeries()
      for (const sessionId of SESSIONS) await this.#work(sessionId)
      await this.#pass()
    }
    // Whatever runs ends, and what is due is looked at once more.
    for (const sessionId of this.#runs.keys()) await this.#endRun(sessionId, 'completed')
    await this.#lookAtSeries()
  }

  #luck(): number {
    this.#drawn += 1
    return this.#scene.luck[this.#drawn % this.#scene.luck.length] ?? 0
  }

  /** Until the next due instant; now and then the host is away for hours or weeks, or its user travels. */
  async #pass(): Promise<void> {
    const nextMs = Math.min(
      (await this.store.nextSeriesAtMs()) ?? Number.POSITIVE_INFINITY,
      (await this.store.nextDueAtMs(this.#nowMs)) ?? Number.POSITIVE_INFINITY,
      this.#nowMs + (this.#runs.size > 0 ? 3 * HOUR : 20 * DAY),
    )
    const luck = this.#luck()
    this.#nowMs = Math.max(this.#nowMs + MINUTE, nextMs) + Math.floor(this.#luck() * 5_000)
    if (luck < 0.03) this.#nowMs += Math.floor(this.#luck() * 21 * DAY)
    else if (luck < 0.1) this.#nowMs += Math.floor(this.#luck() * 9 * HOUR)
    else if (luck < 0.12) await this.#travel()
    else if (luck < 0.14) await this.#meddle()
  }

  async #travel(): Promise<void> {
    const zones = ['Europe/Berlin', 'Asia/Tokyo', 'America/Sao_Paulo', 'Pacific/Chatham'] as const
    await this.store.setTimeZone('g/a', zones[Math.floor(this.#luck() * zones.length)] ?? null, this.#nowMs)
  }

  async #meddle(): Promise<void> {
    const id = `t-${Math.floor(this.#luck() * this.#scene.plans.length)}`
    const changes = ['paused', 'resumed', 'run-now', 'resumed'] as const
    const to = changes[Math.floor(this.#luck() * changes.length)] ?? 'resumed'
    await this.store.changeSeries(id, { to, because: 'asked' }, this.#nowMs)
    if (to === 'paused' && this.#luck() < 0.9) await this.store.changeSeries(id, { to: 'resumed' }, this.#nowMs + HOUR)
  }

  async #lookAtSeries(): Promise<void> {
    for (let isMore = true, lateBefore = 0; isMore; ) {
      const stepped = await this.store.stepDueSeries({ nowMs: this.#nowMs, lateBefore, sinksOf: () => [] })
      lateBefore += stepped.fired.length
      isMore = stepped.isMore
    }
  }

  /** A run of the session begins, goes on, fails, or dies with what it holds. */
  async #work(sessionId: string): Promise<void> {
    const luck = this.#luck()
    if (this.#runs.has(sessionId)) {
      if (luck < 0.6) await this.#endRun(sessionId, 'completed')
      else if (luck < 0.75) await this.#endRun(sessionId, 'failed')
      else if (luck < 0.85) await this.#endRun(sessionId, 'died')
      return
    }
    this.#epochs += 1
    const nameOf = () => `run-${this.#epochs}`
    const begin = { sessionId, runtime: 'process', nameOf, maxLiveRuns: 9, probeForMs: MINUTE, nowMs: this.#nowMs }
    const begun = await this.store.beginRun(begin)
    if (!begun.begun) return
    this.#runs.set(sessionId, begun.run)
    await this.store.fillWindow(begun.run, this.#nowMs, { messages: 9, bytes: 9_999 }, true)
  }

  async #endRun(sessionId: string, how: 'completed' | 'failed' | 'died'): Promise<void> {
    const run = this.#runs.get(sessionId)
    if (run === undefined) return
    this.#runs.delete(sessionId)
    const nowMs = this.#nowMs
    const held = (await this.store.fillWindow(run, nowMs, { messages: 9, bytes: 9_999 }, false)) ?? []
    const settlements = held.map((message) => settlementOf(message, how, nowMs))
    const taken = {
      run,
      nowMs,
      countedAcks: [],
      requests: [],
      replies: [],
      takenSeq: 0,
      sessionState: [],
      sinks: [],
      journal: [],
    }
    if (how !== 'died') await this.store.takeOutbox({ ...taken, provider: PROVIDER, settlements })
    const end = { run, nowMs, end: 'exited', exit: null, sinks: [], provider: PROVIDER, spawnFailure: null } as const
    await this.store.endRun({ ...end, journal: [], settlements: how === 'died' ? settlements : [] })
  }
}

function settlementOf({ id: messageId, attempt, tries }: Message, how: string, nowMs: number): Settlement {
  const at = { messageId, attempt }
  if (how === 'completed') return { ...at, to: 'completed' }
  const lost = { spendsTry: true, error: 'boom', because: 'agent-failed' } as const
  if (how === 'died' && tries < 2) {
    return { ...at, ...lost, to: 'retry', isSuspect: false, processAfterMs: nowMs + MINUTE }
  }
  return { ...at, ...lost, to: 'failed', failure: 'TRIES_EXHAUSTED', deadLetter: true, tell: null }
}

async function allLines(store: SqliteStore, seriesId: string): Promise<LedgerLine[]> {
  return (await store.listLedger({ seriesId, limit: 1_000_000 })).reverse()
}

function expectNothingTwice(lines: readonly LedgerLine[]): void {
  const scheduled = lines.filter(({ origin }) => origin === 'schedule')
  const inOrder = scheduled.toSorted((a, b) => a.firstDueAtMs - b.firstDueAtMs)
  for (const [index, line] of inOrder.entries()) {
    const before = inOrder[index - 1]
    if (before !== undefined) expect(line.firstDueAtMs).toBeGreaterThan(before.lastDueAtMs)
  }
}

async function expectNothingEarly(store: SqliteStore, lines: readonly LedgerLine[]): Promise<void> {
  for (const { messageId, firstDueAtMs } of lines) {
    if (messageId === null) continue
    const message = await store.getMessage(messageId)
    expect(message?.createdAtMs).toBeGreaterThanOrEqual(firstDueAtMs)
    expect(message?.processAfterMs).toBeGreaterThanOrEqual(firstDueAtMs)
  }
}

/** Invariant 8: it goes on, or it has ended as it was to, or somebody paused it. */
function expectAlive(series: Series): void {
  const { state, nextAtMs, liveMessageId, plan: own, because } = series
  if (state === 'active') expect(nextAtMs !== null || liveMessageId !== null).toBe(true)
  else if (state === 'ended')
    expect(because === 'done' && (own.maxRuns !== null || own.schedule.kind === 'once')).toBe(true)
  else expect(state).toBe('paused')
}

describe('two years of series, on hosts that stop, crash and sleep, with agents that fail', () => {
  it('(E1, E2, E4, E5, E6, invariants 7 and 8) the ledger balances, nothing is early or twice, and no series dies', async () => {
    let occurrences = 0
    await fc.assert(
      fc.asyncProperty(scene, async (drawn) => {
        const years = new Years(drawn)
        await years.live()
        for (const series of await years.store.listSeries({ limit: 99 })) {
          const lines = await allLines(years.store, series.id)
          const sums = await years.store.readLedgerSums(series.id)
          if (sums === null) throw new Error(`no sums of ${series.id}`)
          expect(checkLedgerNow(sums)).toMatchObject({ balances: true })
          expectNothingTwice(lines)
          await expectNothingEarly(years.store, lines)
          expectAlive(series)
          occurrences += lines.length
        }
        await years.store.close()
      }),
      {
        numRuns: 12,
        endOnFailure: true,
        ...(process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED) }),
      },
    )
    expect(occurrences).toBeGreaterThan(1_000)
  }, 120_000)
})
