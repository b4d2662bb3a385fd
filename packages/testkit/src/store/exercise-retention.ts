import { describe, expect, test } from 'vitest'
import { KEEPS_ROWS } from '../../../sessiond/src/model/retention.ts'
import type { PrunedRows, RowCursor, RowPruning } from '../../../sessiond/src/ports.ts'
import { NO_ROWS } from '../../../sessiond/src/store/store.ts'
import {
  completed,
  failed,
  keyOf,
  type MakeStoreHarness,
  NOW,
  reply,
  type StoreSteps,
  useStore,
} from './store-harness.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const KEEP = KEEPS_ROWS
const DAYS = {
  messagesMs: 7 * DAY,
  repliesMs: 7 * DAY,
  deadLettersMs: 30 * DAY,
  journalMs: 7 * DAY,
  runsMs: 7 * DAY,
  ledgerMs: 7 * DAY,
  sessionsMs: 7 * DAY,
}
const NONE: PrunedRows = NO_ROWS
const DELIVERED = { to: 'delivered', platformMessageId: null } as const
const REFUSED = { to: 'failed', error: '410' } as const

/** A pass at an instant, by figures that hold for every group but those named. */
const passAt = (nowMs: number, rows: Partial<typeof DAYS> = {}, groups: Record<string, object> = {}): RowPruning => ({
  nowMs,
  retention: { ...DAYS, ...rows },
  groups: new Map(Object.entries(groups).map(([name, figures]) => [name, { ...KEEP, ...figures }])),
})

/** Prunes to the end, and holds the store to the number it says it would remove. */
async function prune(s: StoreSteps, pass: RowPruning): Promise<PrunedRows> {
  const { rows: expected, isWhole } = await s.store.countPrunableRows(pass, { rows: 1_000_000, mayGoOn: () => true })
  const removed: Record<string, number> = { ...NONE }
  let { cursor, removed: some } = await s.store.pruneRows(pass, null)
  for (;;) {
    for (const [name, count] of Object.entries(some)) removed[name] = (removed[name] ?? 0) + count
    if (cursor === null) break
    ;({ cursor, removed: some } = await s.store.pruneRows(pass, cursor))
  }
  expect(removed).toEqual(expected)
  expect(isWhole).toBe(true)
  const left = await s.store.countPrunableRows(pass, { rows: 1, mayGoOn: () => true })
  expect(left).toEqual({ rows: NONE, isWhole: true })
  return removed as PrunedRows
}

/** Rows that go by age, and what must not go whatever its age. */
export function exerciseRetention(makeHarness: MakeStoreHarness): void {
  describe('pruning of rows', () => {
    const s = useStore(makeHarness)

    /** A message, answered and completed by a run that is gone; its reply is still to be delivered. */
    const answered = async (sessionId = 'g/main', replyId = 'r1') => {
      const { id, run, message } = await s.claimOne({ sessionId })
      await s.take(run, { settlements: [completed(message)], replies: [reply(1, { id: replyId, inReplyTo: id })] })
      await s.end1(run)
      return { id, run }
    }
    const deliver = async (outcome: typeof DELIVERED | typeof REFUSED, nowMs = NOW) => {
      for (let due = await s.store.listDueDeliveries(nowMs, 99); due.length > 0; ) {
        for (const { delivery } of due) {
          await s.store.recordDelivery(delivery.id, delivery.attempts + 1, outcome, nowMs)
        }
        due = await s.store.listDueDeliveries(nowMs, 99)
      }
    }
    const typesOf = async (messageId: string) => (await s.lines({ messageId })).map(({ type }) => type)

    test('removes what has ended and is delivered once its time is over, not a millisecond before', async () => {
      const { id } = await answered()
      await deliver(DELIVERED)
      expect(await prune(s, passAt(NOW + 7 * DAY))).toEqual(NONE)
      const removed = await prune(s, passAt(NOW + 7 * DAY + 1))
      expect(removed).toMatchObject({ messages: 1, replies: 1, deadLetters: 0, runs: 0 })
      expect(removed.journal).toBeGreaterThan(5)
      expect(await s.store.getMessage(id)).toBeNull()
      expect(await s.store.getReplies(['r1'])).toEqual([])
      expect(await s.lines()).toEqual([])
    })

    test('keeps every message that has not ended, however old, with its journal, its run and what it was handed', async () => {
      const waiting = await s.send({ sessionId: 'g/waits', processAfterMs: NOW + 400 * DAY })
      const context = await s.send({ sessionId: 'g/context', trigger: false })
      const { id, run } = await s.claimOne()
      const removed = await prune(s, passAt(NOW + 365 * DAY, { messagesMs: 1, journalMs: 1, runsMs: 1, repliesMs: 1 }))
      expect(removed).toMatchObject({ messages: 0, runs: 0 })
      for (const each of [waiting, context, id]) {
        expect(await s.store.getMessage(each)).not.toBeNull()
        expect(await typesOf(each)).toContain('message:accepted')
      }
      expect(await s.store.listLiveRuns()).toMatchObject([keyOf(run)])
      await s.take(run, { settlements: [completed(await s.message(id))] })
      expect(await s.message(id)).toMatchObject({ status: 'completed' })
    })

    test('keeps a reply that is on its way, the message it answers, and what the journal tells of them', async () => {
      const { id } = await answered()
      const old = passAt(NOW + 365 * DAY)
      const removed = await prune(s, old)
      expect(removed).toMatchObject({ messages: 0, replies: 0 })
      expect(await typesOf(id)).toEqual(['message:accepted', 'message:claimed', 'reply:written', 'message:completed'])
      expect(await s.store.listDueDeliveries(old.nowMs, 9)).toMatchObject([{ reply: { id: 'r1' } }])
      await deliver(DELIVERED, old.nowMs)
      expect(await prune(s, old)).toMatchObject({ messages: 1, replies: 0 })
      expect(await prune(s, passAt(old.nowMs + 7 * DAY + 1))).toMatchObject({ replies: 1 })
    })

    test('counts a reply by its last delivery, one sink after the other', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1)], sinks: ['a', 'b'] })
      const [a, b] = await s.store.listDueDeliveries(NOW, 9)
      await s.store.recordDelivery(a?.delivery.id ?? 0, 1, DELIVERED, NOW)
      expect(await prune(s, passAt(NOW + 100 * DAY))).toMatchObject({ replies: 0 })
      await s.store.recordDelivery(b?.delivery.id ?? 0, 1, DELIVERED, NOW + 100 * DAY)
      expect(await prune(s, passAt(NOW + 107 * DAY))).toMatchObject({ replies: 0 })
      expect(await prune(s, passAt(NOW + 107 * DAY + 1))).toMatchObject({ replies: 1 })
    })

    test('removes replies that nobody is told of by their own age', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1)], sinks: [] })
      expect(await prune(s, passAt(NOW + 7 * DAY))).toMatchObject({ replies: 0 })
      expect(await prune(s, passAt(NOW + 7 * DAY + 1))).toMatchObject({ replies: 1 })
    })

    test('(H4) keeps a dead letter for its own time with its journal, then says that it dropped it, and why', async () => {
      const { id, run, message } = await s.claimOne()
      await s.end1(run, { settlements: [failed(message, { tell: null })] })
      expect(await prune(s, passAt(NOW + 30 * DAY))).toMatchObject({ messages: 0, deadLetters: 0 })
      expect(await typesOf(id)).toEqual(['message:accepted', 'message:claimed', 'message:failed'])
      expect(await s.store.replayDeadMessage('none', NOW)).toBe('not-found')
      const pass = passAt(NOW + 30 * DAY + 1)
      expect(await prune(s, pass)).toMatchObject({ messages: 0, deadLetters: 1 })
      expect(await s.store.listDead({ limit: 9 })).toEqual([])
      expect(await s.store.getMessage(id)).toBeNull()
      expect(await s.lines({ messageId: id })).toMatchObject([
        {
          type: 'message:dropped',
          atMs: pass.nowMs,
          detail: { because: 'retention', ageMs: 30 * DAY + 1, keptMs: 30 * DAY, failure: 'TRIES_EXHAUSTED' },
        },
      ])
    })

    test('(H4) drops a delivery its sink refused after the same time, with a line, and lets the reply and its message go', async () => {
      const { id } = await answered()
      await deliver(REFUSED)
      expect(await prune(s, passAt(NOW + 30 * DAY))).toMatchObject({ messages: 0, replies: 0, deadLetters: 0 })
      expect(await typesOf(id)).toContain('reply:deliveryFailed')
      expect(await s.store.listDead({ limit: 9 })).toHaveLength(1)
      expect(await prune(s, passAt(NOW + 30 * DAY + 1))).toMatchObject({ messages: 1, replies: 1, deadLetters: 1 })
      expect(await s.store.listDead({ limit: 9 })).toEqual([])
      expect(await s.lines({ messageId: id })).toMatchObject([
        { type: 'reply:deliveryDropped', detail: { replyId: 'r1', because: 'retention', keptMs: 30 * DAY } },
      ])
    })

    test('keeps the journal of a refused reply that answers nothing', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { replies: [reply(1)] })
      await deliver(REFUSED)
      await prune(s, passAt(NOW + 30 * DAY))
      const told = (await s.lines()).filter(({ type }) => type.startsWith('reply:'))
      expect(told.map(({ type }) => type)).toEqual(['reply:written', 'reply:deliveryFailed'])
    })

    test('leaves out what is kept for ever, and goes by the figures of each group', async () => {
      const kept = await answered('kept/main', 'r-kept')
      const short = await answered('short/main', 'r-short')
      const other = await answered('other/main', 'r-other')
      await deliver(DELIVERED)
      const groups = { kept: {}, short: { messagesMs: HOUR, repliesMs: HOUR, journalMs: HOUR } }
      await prune(s, passAt(NOW + HOUR + 1, {}, groups))
      expect(await s.store.getMessages([kept.id, short.id, other.id])).toMatchObject([
        { id: kept.id },
        { id: other.id },
      ])
      await prune(s, passAt(NOW + 8 * DAY, {}, groups))
      expect(await s.store.getMessages([kept.id, short.id, other.id])).toMatchObject([{ id: kept.id }])
      expect((await s.lines()).every(({ sessionId }) => sessionId === 'kept/main')).toBe(true)
      expect(await prune(s, { ...passAt(NOW + 999 * DAY), retention: KEEP })).toEqual(NONE)
    })

    test('leaves what is from the future alone: a clock that was set back makes nothing old', async () => {
      await answered()
      await deliver(DELIVERED)
      expect(await prune(s, passAt(NOW - 365 * DAY, { messagesMs: 0, repliesMs: 0, journalMs: 0, runsMs: 0 }))).toEqual(
        NONE,
      )
    })

    test('keeps the newest run of a session, and gives no epoch, seq or journal id anew', async () => {
      for (let n = 1; n <= 3; n += 1) await answered('g/main', `r${n}`)
      await deliver(DELIVERED)
      const lastId = await s.store.lastJournalId()
      const lastSeq = (await s.store.listMessages({ sessionId: 'g/main', limit: 1 }))[0]?.seq ?? 0
      expect(await prune(s, passAt(NOW + 365 * DAY))).toMatchObject({ messages: 3, runs: 2 })
      expect((await s.store.listRuns('g/main', 9)).map(({ epoch }) => epoch)).toEqual([3])
      await s.reopen()
      expect(await s.store.lastJournalId()).toBe(lastId)
      const id = await s.send()
      expect((await s.message(id)).seq).toBe(lastSeq + 2)
      expect(await s.startRun()).toMatchObject({ epoch: 4 })
      expect((await s.lines())[0]?.id).toBeGreaterThan(lastId)
    })

    test('takes what was sent for the first time, and again for what is gone', async () => {
      const { id } = await answered()
      await deliver(DELIVERED)
      const again = s.newMessage({ id })
      expect(await s.store.accept([again], NOW)).toMatchObject([{ duplicate: true }])
      await prune(s, passAt(NOW + 8 * DAY))
      expect(await s.store.accept([again], NOW + 8 * DAY)).toMatchObject([{ duplicate: false }])
    })

    test('goes on from its cursor while others write, and takes no row that has begun to matter again', async () => {
      const dead: string[] = []
      for (let n = 0; n < 3; n += 1) {
        const { id, run, message } = await s.claimOne({ sessionId: `g/s${n}` })
        await s.end1(run, { settlements: [failed(message, { tell: null })] })
        dead.push(id)
      }
      const pass = passAt(NOW + 31 * DAY)
      const outcomes = await Promise.all([
        s.store.replayDeadMessage(dead[1] ?? '', pass.nowMs),
        prunedAll(pass),
        s.send({ sessionId: 'g/s9' }, pass.nowMs),
      ])
      expect(outcomes[0]).toBe('replayed')
      expect(await s.store.getMessages(dead)).toMatchObject([{ id: dead[1], status: 'pending' }])
    })
    const prunedAll = async (pass: RowPruning) => {
      for (let cursor = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
        ;({ cursor } = await s.store.pruneRows(pass, cursor))
      }
    }

    test('counts no further than it is asked to', async () => {
      for (let n = 1; n <= 4; n += 1) await answered('g/main', `r${n}`)
      await deliver(DELIVERED)
      const found = await s.store.countPrunableRows(passAt(NOW + 365 * DAY), { rows: 2, mayGoOn: () => true })
      expect(found.rows).toEqual({ ...NONE, messages: 2, replies: 2, journal: 2, runs: 2 })
    })

    test('counts no longer than it may, and says that there may be more', async () => {
      const content = JSON.stringify({ text: 'x' })
      const messages = Array.from({ length: 2_000 }, () => s.newMessage({ content }))
      await s.store.accept(messages, NOW)
      for (const { id } of messages) await s.store.requestCancel(id, NOW)
      let looks = 0
      const mayGoOn = () => ++looks < 3
      const found = await s.store.countPrunableRows(passAt(NOW + 8 * DAY), { rows: 100_000, mayGoOn })
      expect(found.isWhole).toBe(false)
      expect(found.rows.messages).toBeLessThan(2_000)
      expect(looks).toBeLessThan(10)
    })

    test('goes on where an earlier pruning stopped, and takes a place it does not know for the beginning', async () => {
      for (let n = 1; n <= 3; n += 1) await answered('g/main', `r${n}`)
      await deliver(DELIVERED)
      const pass = passAt(NOW + 365 * DAY)
      const { cursor, removed } = await s.store.pruneRows(pass, null)
      expect(removed).toMatchObject({ replies: 3, messages: 0 })
      await s.reopen()
      const next = await s.store.pruneRows(pass, cursor)
      expect(next.removed.replies).toBe(0)
      for (const nonsense of ['', ':', 'sessions:1', 'journal:x', '__proto__:1']) {
        expect((await s.store.pruneRows(pass, nonsense as RowCursor)).cursor).not.toBeUndefined()
      }
    })

    test('forgets a closed session once it is archived and nothing of it is left, and its name is free again', async () => {
      const { run } = await s.claimOne()
      await s.take(run, { sessionState: [{ key: 'k', value: 'v' }], replies: [reply(1)] })
      await s.store.closeSession('g/main', NOW)
      await s.end1(run)
      await deliver(DELIVERED)
      await s.send({ sessionId: 'g/other' })
      const late = NOW + 365 * DAY
      // Not archived: its directory is there.
      expect(await prune(s, passAt(late))).toMatchObject({ sessions: 0 })
      await s.store.recordArchived('g/main', {}, late)
      expect(await prune(s, passAt(late + 7 * DAY))).toMatchObject({ sessions: 0 })
      const passed = passAt(late + 7 * DAY + 1)
      expect(await prune(s, { ...passed, retention: { ...passed.retention, sessionsMs: null } })).toMatchObject({
        sessions: 0,
      })
      expect(await prune(s, passed)).toMatchObject({ sessions: 1 })
      expect(await s.store.getSession('g/main')).toBeNull()
      expect(await s.store.listRuns('g/main', 9)).toEqual([])
      expect(await s.store.getSession('g/other')).not.toBeNull()
      await s.send({ sessionId: 'g/main' }, late)
      expect(await s.store.getSession('g/main')).toMatchObject({ status: 'open', epoch: 0 })
      expect((await s.store.getSessionState('g/main')).size).toBe(0)
    })

    test('forgets no session of which a message, a reply or a task is left', async () => {
      const keeps = { messagesMs: null, repliesMs: null, ledgerMs: null, deadLettersMs: null } as never
      const asked = await s.send({ sessionId: 'g/asked' })
      const { run, message } = await s.claimOne({ sessionId: 'g/said' })
      await s.take(run, { settlements: [completed(message)], replies: [reply(1)] })
      await s.end1(run)
      await deliver(DELIVERED)
      for (const id of ['g/asked', 'g/said']) {
        await s.store.closeSession(id, NOW)
        await s.store.recordArchived(id, {}, NOW)
      }
      expect(await prune(s, passAt(NOW + 99 * DAY, keeps))).toMatchObject({ sessions: 0 })
      expect(await s.store.getMessage(asked)).not.toBeNull()
    })

    test('gives the room of thousands of rows back', async () => {
      const content = JSON.stringify({ text: 'x'.repeat(1_000) })
      const messages = Array.from({ length: 3_000 }, () => s.newMessage({ content }))
      await s.store.accept(messages, NOW)
      for (const { id } of messages) await s.store.requestCancel(id, NOW)
      await prune(s, passAt(NOW + 8 * DAY))
      let pieces = 0
      while (await s.store.giveBackSpace()) pieces += 1
      expect(pieces).toBeGreaterThan(3)
      expect(await s.store.giveBackSpace()).toBe(false)
    })
  })

  describe('what active sessions reference', () => {
    const s = useStore(makeHarness)

    const readActive = async () => (await s.store.readActiveReferences()).active

    test('is nothing in an empty house', async () => {
      const { active } = await s.store.readActiveReferences()
      expect(active).toEqual({
        ids: new Set(),
        openSessions: new Set(),
        closedSessions: new Set(),
        workingSessions: new Set(),
        liveRuns: new Set(),
        hasSessions: false,
      })
    })

    test('(F4) names ids in whatever way a state holds them, those of open sessions and of runs that live', async () => {
      const { run } = await s.claimOne()
      const value = JSON.stringify({ sdk: { 'as-a-field': ['in-a-list', { deep: 'deep-down' }] }, n: 7 })
      const sessionState = [
        { key: 'plain', value: '0b5c-plain' },
        { key: 'text', value: '"as-json"' },
        { key: 'object', value },
        { key: 'torn', value: '{"torn":' },
        { key: 'number', value: '12345' },
      ]
      await s.take(run, { sessionState })
      const { ids } = await readActive()
      for (const id of ['0b5c-plain', 'as-json', 'as-a-field', 'in-a-list', 'deep-down', '12345', '{"torn":']) {
        expect(ids).toContain(id)
      }
      await s.store.closeSession('g/main', NOW)
      expect((await readActive()).ids).toContain('0b5c-plain')
      await s.end1(run)
      expect((await readActive()).ids).toEqual(new Set())
    })

    test('(F4) tells open from closed, working from idle, live from gone, and knows all there are', async () => {
      const idle = await s.claimOne({ sessionId: 'g/idle' })
      await s.end1(idle.run, { settlements: [completed(idle.message)] })
      await s.send({ sessionId: 'g/later', processAfterMs: NOW + DAY })
      await s.send({ sessionId: 'g/context', trigger: false })
      const held = await s.claimOne({ sessionId: 'g/held' })
      const live = await s.claimOne({ sessionId: 'g/live' })
      await s.take(live.run, { settlements: [completed(live.message)] })
      const says = await s.claimOne({ sessionId: 'g/says' })
      await s.end1(says.run, { settlements: [failed(says.message, { deadLetter: false })] })
      const dead = await s.claimOne({ sessionId: 'g/dead' })
      await s.end1(dead.run, { settlements: [failed(dead.message, { tell: null })] })
      await s.send({ sessionId: 'g/closed' })
      await s.store.closeSession('g/closed', NOW)
      const read = await s.store.readActiveReferences()
      const references = read.active
      const open = ['g/idle', 'g/later', 'g/context', 'g/held', 'g/live', 'g/says', 'g/dead']
      expect(references.openSessions).toEqual(new Set(open))
      expect(references.workingSessions).toEqual(new Set(open.slice(1)))
      expect(references.liveRuns).toEqual(new Set([held.run, live.run].map((run) => `${run.sessionId}/${run.epoch}`)))
      expect(references.closedSessions).toEqual(new Set(['g/closed']))
      expect(references.hasSessions).toBe(true)
      // The same of each by itself, and of one there is not.
      const asked = [...open, 'g/closed', 'g/none']
      expect((await s.store.refreshActiveReferences(read, asked)).active).toEqual(references)
      const { active } = await s.store.refreshActiveReferences(read, ['g/later', 'g/closed'])
      expect(active).toMatchObject({ openSessions: new Set(['g/later']), workingSessions: new Set(['g/later']) })
      expect(active).toMatchObject({ closedSessions: new Set(['g/closed']), liveRuns: new Set() })
      await s.store.recordArchived('g/closed', {}, NOW)
      const { active: then } = await s.store.refreshActiveReferences(read, asked)
      expect(then.closedSessions).toEqual(new Set())
      expect(await readActive()).toEqual(then)
    })

    test('(F4) an id that has come since is found, whatever the clock says meanwhile, and one read before is not lost', async () => {
      const first = await s.claimOne({ sessionId: 'g/first' })
      const second = await s.claimOne({ sessionId: 'g/second' })
      await s.take(first.run, { sessionState: [{ key: 'k', value: 'before' }] })
      const read = await s.store.readActiveReferences()
      expect((await s.store.refreshActiveReferences(read, [])).active.ids).toEqual(new Set(['before']))
      await s.take(second.run, { sessionState: [{ key: 'k', value: 'since' }], nowMs: NOW - DAY })
      const next = await s.store.refreshActiveReferences(read, ['g/first'])
      expect(next.active.ids).toEqual(new Set(['before', 'since']))
      await s.take(first.run, { sessionState: [{ key: 'k', value: 'later' }], nowMs: NOW - DAY })
      const last = await s.store.refreshActiveReferences(next, [])
      expect(last.active.ids).toEqual(new Set(['before', 'since', 'later']))
      expect((await readActive()).ids).toEqual(new Set(['since', 'later']))
    })

    test('(invariant 10) takes a bounded number of ids of what a run wrote, and is not undone by its depth', async () => {
      const { run } = await s.claimOne()
      const other = await s.claimOne({ sessionId: 'g/other' })
      await s.take(other.run, { sessionState: [{ key: 'k', value: 'of-the-other' }] })
      const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
      const many = JSON.stringify(Array.from({ length: 5_000 }, (_, n) => `id-${n}`))
      const rows = Array.from({ length: 50 }, (_, n) => ({ key: `k${n}`, value: many.replaceAll('id-', `id-${n}-`) }))
      await s.take(run, {
        sessionState: [{ key: 'deep', value: deep }, { key: 'long', value: 'x'.repeat(60_000) }, ...rows],
      })
      const { ids } = await readActive()
      expect(ids).toContain('of-the-other')
      expect(ids.size).toBeLessThan(3_000)
      expect(Math.max(...[...ids].map((id) => id.length))).toBeLessThan(256)
    })

    test('is one state, whatever is written while it is read', async () => {
      await s.store.accept(
        Array.from({ length: 3_000 }, (_, n) => s.newMessage({ sessionId: `g/a${n}` })),
        NOW,
      )
      const reading = s.store.readActiveReferences()
      const more = Array.from({ length: 3_000 }, (_, n) => s.newMessage({ sessionId: `g/b${n}` }))
      const [{ active }] = await Promise.all([reading, s.store.accept(more, NOW)])
      expect(active.openSessions.size % 3_000).toBe(0)
      expect(active.workingSessions).toEqual(active.openSessions)
    })

    test('is an error once the store is closed, and no empty set', async () => {
      await s.send()
      const { store } = s
      await store.close()
      await expect(store.readActiveReferences()).rejects.toMatchObject({ code: 'REFERENCES_UNREADABLE' })
    })
  })
}
