import { describe, expect, test } from 'vitest'
import { checkLedgerNow } from '../../../sessiond/src/decide/check-ledger.ts'
import { KEEPS_ROWS } from '../../../sessiond/src/model/retention.ts'
import type { LedgerSums, NewSeries, RowCursor, RowPruning, Series, SeriesPlan } from '../../../sessiond/src/ports.ts'
import {
  claimed,
  completed,
  failed,
  keyOf,
  type MakeStoreHarness,
  NOW,
  retried,
  useStore,
  WINDOW,
} from './store-harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const PLAN: SeriesPlan = {
  schedule: { kind: 'cron', expression: '0 9 * * *', seconds: false, gap: 'after', repeated: 'first' },
  timeZone: 'UTC',
  onZoneChange: 'keep-wall-clock',
  overlap: 'skip',
  missed: { run: 'newest', max: 50, withinMs: null, until: null },
  staggerMs: 0,
  endAtMs: null,
  maxRuns: null,
  backOffAfterFailures: 8,
  pauseAfterFailures: 12,
}
/** 9:00 on the first day, and by days after it. */
const nine = (day: number) => NOW + day * DAY + 9 * HOUR

/** Recurring work: series, their occurrences, and the ledger in which every due instant ends. */
export function exerciseSeries(makeHarness: MakeStoreHarness): void {
  describe('a series', () => {
    const s = useStore(makeHarness)

    const newSeries = (plan: Partial<SeriesPlan> = {}, changes: Partial<NewSeries> = {}): NewSeries => ({
      id: 't-1',
      sessionId: 'g/main',
      group: 'g',
      plan: { ...PLAN, ...plan },
      kind: 'task',
      content: '{"text":"water the plants"}',
      address: { platformId: 'p', channelType: 'c', threadId: 't' },
      sourceSessionId: null,
      ...changes,
    })
    const create = async (plan: Partial<SeriesPlan> = {}, changes: Partial<NewSeries> = {}): Promise<Series> => {
      const made = await s.store.createSeries(newSeries(plan, changes), NOW)
      if (made instanceof Error) throw made
      return made
    }
    /** Looks at all that is due, as a host does; the ids of the messages that came of it. */
    const look = async (nowMs: number): Promise<string[]> => {
      const before = await pending()
      for (let isMore = true; isMore; ) {
        const stepped = await s.store.stepDueSeries({ nowMs, lateBefore: 0, sinksOf: () => ['hook'] })
        isMore = stepped.isMore
      }
      return (await pending()).filter((id) => !before.includes(id))
    }
    const pending = async () => {
      const messages = await s.store.listMessages({ sessionId: 'g/main', statuses: ['pending'], limit: 1_000 })
      return messages.map(({ id }) => id).reverse()
    }
    /** A run takes everything due and ends it so. */
    const work = async (nowMs: number, end: 'completed' | 'failed' = 'completed') => {
      const run = await s.startRun('g/main', nowMs)
      const window = (await s.store.fillWindow(keyOf(run), nowMs, WINDOW, false)) ?? []
      await s.take(run, { settlements: window.map(claimed), nowMs })
      const settlements = window.map((message) =>
        end === 'completed' ? completed(message) : failed(message, { tell: null }),
      )
      await s.take(run, { settlements, nowMs })
      await s.end1(run, { end: 'idle', nowMs })
    }
    const series = async () => (await s.store.getSeries('t-1')) as Series
    /** Every line, oldest first: `2 skipped overlap`. */
    const ledger = async () => {
      const lines = await s.store.listLedger({ seriesId: 't-1', limit: 1_000 })
      return lines.reverse().map(({ count, outcome, because }) => `${count} ${outcome} ${because}`)
    }
    const change = async (to: 'paused' | 'resumed' | 'ended' | 'run-now', nowMs: number) => {
      const changed = await s.store.changeSeries('t-1', { to, because: 'a person paused it' }, nowMs)
      return changed.done ? 'done' : changed.because
    }

    test('is armed for its next due instant, makes its session, and fires nothing early (E12)', async () => {
      expect(await create()).toMatchObject({ state: 'active', nextAtMs: nine(0), zone: 'UTC', firings: 0 })
      expect(await s.store.getSession('g/main')).toMatchObject({ status: 'open' })
      expect(await s.store.nextSeriesAtMs()).toBe(nine(0))
      expect(await look(nine(0) - 1)).toEqual([])
      expect(await look(nine(0))).toEqual(['t-1.1'])
      expect(await s.message('t-1.1')).toMatchObject({
        kind: 'task',
        content: '{"text":"water the plants"}',
        seriesId: 't-1',
        processAfterMs: nine(0),
        address: { platformId: 'p' },
      })
      expect(await series()).toMatchObject({ nextAtMs: null, firings: 1, liveMessageId: 't-1.1' })
      expect(await look(nine(0))).toEqual([])
    })

    test('has old lines of its ledger summed up by how they ended: it stays short, and the sums balance', async () => {
      await create()
      for (let day = 0; day < 30; day += 1) {
        await look(nine(day))
        // One of three runs over the next one, which is skipped.
        if (day % 3 === 0) continue
        if ((await pending()).length > 0) await work(nine(day) + HOUR, day % 5 === 0 ? 'failed' : 'completed')
      }
      const before = checkLedgerNow((await s.store.readLedgerSums('t-1')) as LedgerSums)
      const lines = await ledger()
      expect(lines.length).toBeGreaterThan(20)
      expect(before.balances).toBe(true)
      const pass = { nowMs: nine(40), retention: { ...KEEPS_ROWS, ledgerMs: 12 * DAY }, groups: new Map() }
      expect(await prune(pass)).toBe(lines.length - (await ledger()).length)
      const after = await s.store.listLedger({ seriesId: 't-1', limit: 1_000 })
      const young = after.filter(({ endedAtMs }) => endedAtMs === null || nine(40) - endedAtMs <= 12 * DAY)
      // One line a kind, and those that are young.
      const kinds = new Set(
        after.filter((line) => !young.includes(line)).map(({ outcome, because }) => `${outcome} ${because}`),
      )
      expect(after.length).toBe(kinds.size + young.length)
      expect(young.length).toBeGreaterThan(0)
      expect(checkLedgerNow((await s.store.readLedgerSums('t-1')) as LedgerSums)).toEqual(before)
      expect(await prune(pass)).toBe(0)
      // Its next occurrence is none there has been.
      const ids = new Set(after.map(({ messageId }) => messageId))
      await look(nine(41))
      const [newest] = await s.store.listLedger({ seriesId: 't-1', limit: 1 })
      expect(newest?.ordinal).toBeGreaterThan(after[0]?.ordinal ?? 0)
      expect(ids.has(newest?.messageId ?? null)).toBe(false)
    })

    test('of which hundreds of lines are old is summed up page by page', async () => {
      await create({ schedule: { kind: 'every', everyMs: MINUTE, anchorMs: NOW }, overlap: 'allow' })
      for (let minute = 1; minute <= 620; minute += 1) {
        const nowMs = NOW + minute * MINUTE
        await s.store.stepDueSeries({ nowMs, lateBefore: 0, sinksOf: () => ['hook'] })
        await s.store.requestCancel(`t-1.${minute}`, nowMs)
      }
      const before = checkLedgerNow((await s.store.readLedgerSums('t-1')) as LedgerSums)
      expect((await s.store.listLedger({ seriesId: 't-1', limit: 1 }))[0]?.ordinal).toBe(620)
      await prune({ nowMs: NOW + 90 * DAY, retention: { ...KEEPS_ROWS, ledgerMs: DAY }, groups: new Map() })
      expect((await ledger()).length).toBeLessThan(5)
      expect(checkLedgerNow((await s.store.readLedgerSums('t-1')) as LedgerSums)).toEqual(before)
    })

    test('that has ended goes with its ledger when all of it is old, and not while an occurrence is live', async () => {
      await create()
      await look(nine(0))
      await change('ended', nine(1))
      const pass = (nowMs: number) => ({ nowMs, retention: { ...KEEPS_ROWS, ledgerMs: DAY }, groups: new Map() })
      expect((await ledger()).at(-1)).toContain('cancelled')
      await prune(pass(nine(2)))
      expect(await s.store.getSeries('t-1')).not.toBeNull()
      await prune(pass(nine(2) + 1))
      expect(await s.store.getSeries('t-1')).toBeNull()
      expect(await ledger()).toEqual([])
      expect(await create()).toMatchObject({ state: 'active', firings: 0 })
    })

    /** Rows of the ledger that went. */
    const prune = async (pass: RowPruning): Promise<number> => {
      let sum = 0
      for (let cursor: RowCursor | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
        const step = await s.store.pruneRows(pass, cursor)
        sum += step.removed.ledger
        cursor = step.cursor
      }
      return sum
    }

    test('is made once: the same id again is the same series, and no other', async () => {
      await create()
      expect(await s.store.createSeries(newSeries(), NOW + 5)).toMatchObject({ id: 't-1', createdAtMs: NOW })
      const other = await s.store.createSeries(newSeries({ staggerMs: 1 }), NOW)
      expect(other).toMatchObject({ code: 'SERIES_ID_CONFLICT' })
      expect(await s.lines({ type: 'series:created' })).toHaveLength(1)
    })

    test('is refused by a session that is closed', async () => {
      await s.send()
      await s.store.closeSession('g/main', NOW)
      expect(await s.store.createSeries(newSeries(), NOW)).toMatchObject({ code: 'SESSION_CLOSED' })
    })

    test.each([
      ['completed', 'ran completed'],
      ['failed', 'ran failed'],
    ] as const)('(E1, E3) is armed anew in the transaction in which its occurrence %s', async (end, line) => {
      await create()
      await look(nine(0))
      await work(nine(0) + MINUTE, end)
      expect(await series()).toMatchObject({ state: 'active', nextAtMs: nine(1), liveMessageId: null })
      expect(await ledger()).toEqual([`1 ${line}`])
      await s.reopen()
      expect(await look(nine(1))).toEqual(['t-1.2'])
    })

    test('(E2, E4) has one live occurrence, whatever is asked of it, and fires no instant twice over a restart', async () => {
      await create()
      await look(nine(0))
      await s.reopen()
      expect(await look(nine(0) + MINUTE)).toEqual([])
      expect(await look(nine(3))).toEqual([])
      expect(await change('run-now', nine(3))).toBe('live')
      const race = await Promise.all(Array.from({ length: 8 }, () => look(nine(3))))
      expect(race.flat()).toEqual([])
      await work(nine(3) + MINUTE)
      expect(await ledger()).toEqual(['1 ran completed', '3 skipped overlap'])
    })

    test.each([
      ['skip', ['1 ran completed', '3 skipped overlap'], 0],
      ['queue', ['1 ran completed', '2 merged overlap', '1 live fired'], 1],
    ] as const)('with overlap %s accounts for what came while it ran', async (overlap, lines, more) => {
      await create({ overlap })
      await look(nine(0))
      await work(nine(3) + MINUTE)
      expect(await ledger()).toEqual(lines)
      expect(await pending()).toHaveLength(more)
    })

    test('with overlap replace cancels the one that is live, and runs the newest', async () => {
      await create({ overlap: 'replace' })
      await look(nine(0))
      expect(await series()).toMatchObject({ nextAtMs: nine(1) })
      await look(nine(1))
      expect(await s.message('t-1.1')).toMatchObject({ status: 'failed', failure: 'CANCELLED' })
      expect(await ledger()).toEqual(['1 skipped cancelled', '1 live fired'])
      expect(await s.message('t-1.2')).toMatchObject({ status: 'pending', processAfterMs: nine(1) })
    })

    test('with overlap replace waits for a run to let go of the one it holds', async () => {
      await create({ overlap: 'replace' })
      await look(nine(0))
      const run = await s.startRun('g/main', nine(0))
      await s.take(run, { settlements: [claimed(await s.message('t-1.1'))], nowMs: nine(0) })
      await look(nine(1))
      expect(await s.message('t-1.1')).toMatchObject({ status: 'claimed', cancelRequestedAtMs: nine(1) })
      expect(await look(nine(1) + MINUTE)).toEqual([])
      await s.end1(run, {
        end: 'cancel',
        settlements: [retried(await s.message('t-1.1'))],
        nowMs: nine(1) + 2 * MINUTE,
      })
      expect(await ledger()).toEqual(['1 ran cancelled', '1 live fired'])
    })

    test('with overlap allow fires whatever is live', async () => {
      await create({ overlap: 'allow' })
      expect(await look(nine(0))).toEqual(['t-1.1'])
      expect(await look(nine(1))).toEqual(['t-1.2'])
      expect(await change('run-now', nine(1) + HOUR)).toBe('done')
      await work(nine(2) - HOUR)
      expect(await ledger()).toEqual(['1 ran completed', '1 ran completed', '1 ran completed'])
      expect(await series()).toMatchObject({ nextAtMs: nine(2), liveMessageId: null })
    })

    test.each<[string, Partial<SeriesPlan['missed']>, string[], number]>([
      ['the newest', {}, ['6 merged missed', '1 live fired'], 1],
      ['none', { run: 'none' }, ['7 skipped missed'], 0],
      ['the newest, unless it is too old', { withinMs: HOUR }, ['7 expired too-late'], 0],
      ['the newest, until 11:00 of its day', { until: '11:00' }, ['6 merged missed', '1 live fired'], 1],
      ['the newest, until 10:00 of its day', { until: '10:00' }, ['7 expired too-late'], 0],
      ['each, the oldest of them first', { run: 'each' }, ['1 live fired'], 1],
      ['each, at most three', { run: 'each', max: 3 }, ['4 skipped missed', '1 live fired'], 1],
    ])('(E6) after a week of nobody there runs %s', async (_, missed, lines, more) => {
      await create({ missed: { ...PLAN.missed, ...missed } })
      const backMs = nine(6) + 90 * MINUTE
      expect(await look(backMs)).toHaveLength(more)
      expect(await ledger()).toEqual(lines)
      expect(await s.lines({ type: 'series:missed' })).toHaveLength(1)
    })

    test('catches up with each that was missed, one after the other, and goes on', async () => {
      await create({ missed: { ...PLAN.missed, run: 'each', max: 3 } })
      const backMs = nine(6) + 90 * MINUTE
      await look(backMs)
      for (let turn = 0; turn < 3; turn += 1) await work(backMs + turn * MINUTE)
      expect(await ledger()).toEqual(['4 skipped missed', '1 ran completed', '1 ran completed', '1 ran completed'])
      expect(await series()).toMatchObject({ nextAtMs: nine(7), liveMessageId: null })
    })

    test('(E7) starts many that are late one after the other', async () => {
      for (let index = 0; index < 5; index += 1) await create({}, { id: `t-${index}`, sessionId: 'g/main' })
      await s.store.stepDueSeries({ nowMs: nine(6) + HOUR, lateBefore: 2, sinksOf: () => [] })
      const messages = await s.store.listMessages({ sessionId: 'g/main', limit: 9 })
      const startsAfterMs = messages.map(({ processAfterMs }) => processAfterMs - nine(6) - HOUR).sort((a, b) => a - b)
      expect(startsAfterMs).toEqual([500, 750, 1_000, 1_250, 1_500])
    })

    test('(E16) backs off after eight failures in a row, then is paused and says so; resumed it goes on', async () => {
      await create({ schedule: { kind: 'every', everyMs: HOUR, anchorMs: NOW } })
      let nowMs = NOW
      for (let hour = 1; hour <= 60 && (await series()).state === 'active'; hour += 1) {
        nowMs = NOW + hour * HOUR
        if ((await look(nowMs)).length > 0) await work(nowMs, 'failed')
      }
      expect(await series()).toMatchObject({ state: 'paused', failuresInARow: 12 })
      const lines = await ledger()
      expect(lines.filter((line) => line === '1 ran failed')).toHaveLength(12)
      expect(lines.slice(8)).toEqual([
        '1 skipped backing-off',
        '1 ran failed',
        '2 skipped backing-off',
        '1 ran failed',
        '4 skipped backing-off',
        '1 ran failed',
        '8 skipped backing-off',
        '1 ran failed',
      ])
      const told = await s.store.listReplies({ sessionId: 'g/main', limit: 99 })
      expect(told.filter(({ content }) => content.includes('it failed 12 times in a row'))).toHaveLength(1)
      expect(await change('resumed', nowMs + 3 * HOUR + 1)).toBe('done')
      expect((await ledger()).at(-1)).toBe('3 skipped paused')
      expect(await series()).toMatchObject({ state: 'active', failuresInARow: 0, nextAtMs: nowMs + 4 * HOUR })
    })

    test('one success makes the count of failures start anew', async () => {
      await create({ schedule: { kind: 'every', everyMs: HOUR, anchorMs: NOW } })
      for (let hour = 1; hour <= 9; hour += 1) {
        await look(NOW + hour * HOUR)
        await work(NOW + hour * HOUR, hour === 5 ? 'completed' : 'failed')
      }
      expect(await series()).toMatchObject({ state: 'active', failuresInARow: 4 })
    })

    test('(E9, E10) is parked when it cannot be evaluated, tells why once, keeps its expression, and delays no other', async () => {
      const schedule = { ...PLAN.schedule, expression: '0 9 30 2 *' } as const
      await create({}, { id: 't-0' })
      await create({ schedule })
      await create({}, { id: 't-2' })
      expect(await series()).toMatchObject({ state: 'parked', nextAtMs: null, plan: { schedule } })
      expect((await series()).because).toContain('never due')
      await s.store.stepDueSeries({ nowMs: nine(0), lateBefore: 0, sinksOf: () => ['hook'] })
      expect(await pending()).toEqual(['t-0.1', 't-2.1'])
      expect(await s.lines({ type: 'series:parked' })).toHaveLength(1)
      const mended = { to: 'updated', plan: { schedule: PLAN.schedule }, content: null } as const
      expect(await s.store.changeSeries('t-1', mended, nine(0) + 1)).toMatchObject({ done: true })
      expect(await series()).toMatchObject({ state: 'active', because: null, nextAtMs: nine(1) })
    })

    test('is paused and resumed: what came in between is skipped', async () => {
      await create()
      expect(await change('paused', NOW)).toBe('done')
      expect(await change('paused', NOW)).toBe('paused')
      expect(await look(nine(2))).toEqual([])
      expect(await s.store.nextSeriesAtMs()).toBeNull()
      expect(await change('resumed', nine(2) + HOUR)).toBe('done')
      expect(await change('resumed', nine(2) + HOUR)).toBe('active')
      expect(await ledger()).toEqual(['3 skipped paused'])
      expect(await series()).toMatchObject({ nextAtMs: nine(3) })
    })

    test('runs now beside its schedule, which does not move', async () => {
      await create()
      expect(await change('run-now', NOW + HOUR)).toBe('done')
      expect(await pending()).toEqual(['t-1.1'])
      await work(NOW + 2 * HOUR)
      expect(await series()).toMatchObject({ nextAtMs: nine(0), firings: 0 })
      expect(await s.store.listLedger({ seriesId: 't-1', limit: 9 })).toMatchObject([
        { origin: 'run-now', outcome: 'ran', because: 'completed' },
      ])
    })

    test('runs now while it is paused, and stays paused', async () => {
      await create()
      await change('paused', NOW)
      expect(await change('run-now', NOW + HOUR)).toBe('done')
      await work(NOW + 2 * HOUR)
      expect(await series()).toMatchObject({ state: 'paused', nextAtMs: null, liveMessageId: null })
    })

    test('ends when it is cancelled, and with it what waits of it', async () => {
      await create()
      await look(nine(0))
      expect(await change('ended', nine(0) + MINUTE)).toBe('done')
      expect(await series()).toMatchObject({ state: 'ended', because: 'cancelled', nextAtMs: null })
      expect(await s.message('t-1.1')).toMatchObject({ status: 'failed', failure: 'CANCELLED' })
      expect(await ledger()).toEqual(['1 skipped cancelled'])
      expect(await change('resumed', nine(1))).toBe('ended')
      expect(await look(nine(5))).toEqual([])
    })

    test('ends with its session, and is not armed anew by what ends with it', async () => {
      await create()
      await look(nine(0))
      await s.store.closeSession('g/main', nine(0) + MINUTE)
      expect(await series()).toMatchObject({ state: 'ended', because: 'session-closed', nextAtMs: null })
      expect(await ledger()).toEqual(['1 skipped session-closed'])
    })

    test('goes by its new schedule from the change on, and by the old one until then', async () => {
      await create()
      await look(nine(0))
      await work(nine(0) + MINUTE)
      const schedule = { ...PLAN.schedule, expression: '0 12 * * *' } as const
      const update = { to: 'updated', plan: { schedule }, content: '{"text":"noon"}' } as const
      expect(await s.store.changeSeries('t-1', update, nine(0) + HOUR)).toMatchObject({ done: true })
      expect(await series()).toMatchObject({ nextAtMs: NOW + 12 * HOUR, content: '{"text":"noon"}' })
      expect((await s.store.readLedgerSums('t-1'))?.due).toMatchObject([
        { fromMs: NOW, toMs: nine(0) + HOUR },
        { fromMs: nine(0) + HOUR, toMs: nine(0) + HOUR },
      ])
    })

    test('ends after its last firing, and after its last day', async () => {
      await create({ maxRuns: 2 })
      for (const day of [0, 1]) {
        await look(nine(day))
        await work(nine(day) + MINUTE)
      }
      expect(await series()).toMatchObject({ state: 'ended', because: 'done', nextAtMs: null })
      await create({ endAtMs: nine(1) }, { id: 't-2' })
      await look(nine(0))
      await work(nine(0) + MINUTE)
      expect(await s.store.getSeries('t-2')).toMatchObject({ state: 'active', nextAtMs: nine(1) })
      await look(nine(1))
      await work(nine(1) + MINUTE)
      expect(await s.store.getSeries('t-2')).toMatchObject({ state: 'ended', because: 'done' })
    })

    test('once is once', async () => {
      await create({ schedule: { kind: 'once', atMs: NOW + HOUR } })
      expect(await look(NOW + HOUR)).toEqual(['t-1.1'])
      await work(NOW + HOUR + MINUTE)
      expect(await series()).toMatchObject({ state: 'ended', because: 'done' })
      expect(await ledger()).toEqual(['1 ran completed'])
    })

    test('starts a part of its stagger later, the same each time, and never before it is due', async () => {
      await create({ staggerMs: HOUR })
      const [id = ''] = await look(nine(0))
      const delayMs = (await s.message(id)).processAfterMs - nine(0)
      expect(delayMs).toBeGreaterThanOrEqual(0)
      expect(delayMs).toBeLessThan(HOUR)
      await work(nine(0) + HOUR)
      const [next = ''] = await look(nine(1))
      expect((await s.message(next)).processAfterMs - nine(1)).toBe(delayMs)
    })

    test.each([
      ['keep-wall-clock', null, NOW + DAY],
      ['keep-instant', null, NOW + 8 * HOUR],
      ['keep-wall-clock', 'Europe/Berlin', NOW + 8 * HOUR],
    ] as const)('when its user travels does %s, with its own zone %s', async (onZoneChange, timeZone, nextAtMs) => {
      await s.store.assignZones(new Map([['g', 'Europe/Berlin']]), NOW)
      await create({ timeZone, onZoneChange })
      expect(await series()).toMatchObject({ zone: 'Europe/Berlin', nextAtMs: NOW + 8 * HOUR })
      expect(await s.store.setTimeZone('g/main', 'Asia/Tokyo', NOW + MINUTE)).toBe(true)
      expect(await series()).toMatchObject({ nextAtMs })
      expect(await s.store.setTimeZone('g/none', 'Asia/Tokyo', NOW)).toBe(false)
    })

    test('goes by the new zone of its group, and by its session’s own whatever its group’s is', async () => {
      await s.store.assignZones(new Map([['g', 'UTC']]), NOW)
      await create({ timeZone: null })
      await s.store.assignZones(new Map([['g', 'Europe/Berlin']]), NOW)
      expect(await series()).toMatchObject({ zone: 'Europe/Berlin', nextAtMs: NOW + 8 * HOUR })
      await s.store.setTimeZone('g/main', 'UTC', NOW)
      await s.store.assignZones(new Map([['g', 'Asia/Tokyo']]), NOW)
      expect(await series()).toMatchObject({ zone: 'UTC', nextAtMs: nine(0) })
      await s.store.setTimeZone('g/main', null, NOW)
      expect(await series()).toMatchObject({ zone: 'Asia/Tokyo', nextAtMs: NOW + DAY })
    })

    test('passes over what a clock set forward and back again made it fire already', async () => {
      await create()
      await look(nine(5))
      await work(nine(5) + MINUTE)
      expect(await look(nine(3))).toEqual([])
      expect(await series()).toMatchObject({ nextAtMs: nine(6) })
    })

    test('is listed by session and state, page by page', async () => {
      for (const id of ['t-1', 't-2', 't-3']) await create({}, { id, sessionId: id === 't-3' ? 'g/other' : 'g/main' })
      await change('paused', NOW)
      const ids = async (query: Partial<Parameters<typeof s.store.listSeries>[0]>) =>
        (await s.store.listSeries({ limit: 9, ...query })).map(({ id }) => id)
      expect(await ids({})).toEqual(['t-1', 't-2', 't-3'])
      expect(await ids({ sessionId: 'g/main' })).toEqual(['t-1', 't-2'])
      expect(await ids({ states: ['active'] })).toEqual(['t-2', 't-3'])
      expect(await ids({ after: 't-1', limit: 1 })).toEqual(['t-2'])
    })

    test('counts what was missed without walking it: a second’s grid of ten years', async () => {
      await create({ schedule: { kind: 'every', everyMs: 1_000, anchorMs: NOW } })
      await look(NOW + 3_650 * DAY)
      expect(await ledger()).toEqual(['315359940 merged missed', '59 merged late', '1 live fired'])
    })
  })
}
