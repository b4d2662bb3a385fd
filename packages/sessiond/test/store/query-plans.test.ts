import { join } from 'node:path'
import { PROVIDER } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Database, type SqlValue } from '../../src/store/sqlite/database.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { RunKey } from '../../src/store/store.ts'
import { newMessage } from './messages.ts'
import { useTempDir } from './temp-dir.ts'

const temp = useTempDir()
const NOW = 1_000

/** Notes every statement that is run, so that the plans are those of the code and not of a copy of its SQL. */
class NotingDatabase extends Database {
  noted = new Set<string>()

  override run(sql: string, ...values: SqlValue[]): number {
    this.noted.add(sql)
    return super.run(sql, ...values)
  }
  override get<Row extends object>(sql: string, ...values: SqlValue[]): Row | undefined {
    this.noted.add(sql)
    return super.get<Row>(sql, ...values)
  }
  override iterate<Row extends object>(sql: string, ...values: SqlValue[]): Iterable<Row> {
    this.noted.add(sql)
    return super.iterate<Row>(sql, ...values)
  }
  override all<Row extends object>(sql: string, ...values: SqlValue[]): Row[] {
    this.noted.add(sql)
    return super.all<Row>(sql, ...values)
  }

  /** Plan lines of every statement noted since the last call. */
  takePlans(): string[] {
    const statements = [...this.noted].filter((sql) => /^\s*(SELECT|WITH|UPDATE|DELETE)/.test(sql))
    const plans = statements.flatMap((sql) => super.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`))
    this.noted = new Set()
    return plans.map(({ detail }) => detail)
  }
}

let db: NotingDatabase
let store: SqliteStore

beforeEach(() => {
  db = new NotingDatabase(join(temp(), 'store.db'), { readOnly: false, busyTimeoutMs: 0 })
  migrate(db, () => 'i1')
  store = new SqliteStore(db, temp(), { newId: (prefix) => `${prefix}1`, defer: setImmediate })
})

afterEach(() => store.close())

const TABLES = '(messages|sessions|runs|replies|deliveries|journal|accounts|account_groups|m|s|r|d|o|a|g)'

/** A walk through a whole table, or through an index that holds all of it. */
const wholeTable = (plans: readonly string[]) =>
  plans.filter((line) => new RegExp(`^SCAN ${TABLES}\\b`).test(line) && !PARTIAL.some((index) => line.includes(index)))

const PARTIAL = [
  'messages_due',
  'runs_live',
  'deliveries_due',
  'sessions_backing_off',
  'messages_dead',
  'messages_at_once',
  'sessions_ending',
  'deliveries_dead',
  'accounts_held',
]

test('finds what is due by its partial index alone, whatever is registered or past', async () => {
  db.takePlans()
  await store.listWaiting(NOW, 5)
  await store.nextDueAtMs(NOW)
  await store.oldestDueAtMs(NOW)
  const plans = db.takePlans()
  expect(wholeTable(plans)).toEqual([])
  expect(plans.filter((line) => line.includes('messages_due')).length).toBeGreaterThanOrEqual(3)
  expect(plans.filter((line) => /(SEARCH|SCAN) (s|sessions)\b/.test(line)).every(isLookUp)).toBe(true)
  expect(plans.filter((line) => /\b(messages|m) USING/.test(line)).every(isOnPending)).toBe(true)
})

const isLookUp = (line: string) => /\(id=\?\)/.test(line) || line.includes('sessions_backing_off')
const isOnPending = (line: string) => /messages_(due|waking|context|projected)/.test(line)

test('finds live runs, due deliveries and dead letters by their partial indexes alone', async () => {
  db.takePlans()
  await store.listLiveRuns()
  expect(db.takePlans()).toEqual(['SCAN runs USING INDEX runs_live'])
  await store.listDueDeliveries(NOW, 9, ['busy'])
  const due = db.takePlans()
  expect(wholeTable(due)).toEqual([])
  expect(due.join('\n')).toMatch(/SEARCH d USING INDEX deliveries_due/)
  expect(due.join('\n')).toMatch(/SEARCH o USING INDEX deliveries_lane/)
  await store.nextDeliveryAtMs()
  expect(db.takePlans().join('\n')).toMatch(/USING COVERING INDEX deliveries_due/)
  await store.listDead({ limit: 9 })
  expect(db.takePlans().filter((line) => line.startsWith('S'))).toEqual([
    expect.stringContaining('messages_dead'),
    expect.stringContaining('deliveries_dead'),
  ])
})

test('(invariant 10) a run that postpones a hundred replies adds one delivery to those that are looked at', async () => {
  const key: RunKey = { sessionId: 'g/main', epoch: 1, name: 'run-1' }
  await store.accept([newMessage('m1')], 1)
  await store.beginRun({
    sessionId: 'g/main',
    runtime: 'process',
    nameOf: () => key.name,
    maxLiveRuns: 9,
    probeForMs: 60_000,
    nowMs: NOW,
  })
  const address = { platformId: null, channelType: null, threadId: null }
  const replies = Array.from({ length: 100 }, (_, index) => ({
    id: `r${index}`,
    seq: 2 * index + 1,
    inReplyTo: null,
    kind: 'chat' as const,
    content: '{}',
    // Some at one near instant, some in the year 9999, and one in line.
    deliverAfterMs: index === 99 ? NOW : index % 2 === 0 ? NOW + 1 : 253_402_300_799_000,
    address,
  }))
  const taken = {
    run: key,
    nowMs: NOW,
    settlements: [],
    takenSeq: 199,
    countedAcks: [],
    requests: [],
    sessionState: [],
    sinks: ['hook'],
    provider: PROVIDER,
    journal: [],
  }
  await store.takeOutbox({ ...taken, replies })
  const heads = `SELECT id FROM deliveries INDEXED BY deliveries_due WHERE status = 'pending' AND is_queued = 0`
  const looked = () => db.all(heads)
  expect(looked()).toHaveLength(2)
  const order: string[] = []
  for (let [next] = await store.listDueDeliveries(NOW + 1, 9); next !== undefined; ) {
    order.push(next.reply.id)
    await store.recordDelivery(next.delivery.id, 1, { to: 'delivered', platformMessageId: null }, NOW + 1)
    expect(looked().length).toBeLessThanOrEqual(2)
    ;[next] = await store.listDueDeliveries(NOW + 1, 9)
  }
  expect(order).toEqual([...Array.from({ length: 50 }, (_, index) => `r${2 * index}`), 'r99'])
})

test('ends what waits in closed sessions, and undoes a step of the clock, by their partial indexes alone', async () => {
  await store.accept([newMessage('m1'), newMessage('m2', 'g/other', { trigger: false })], 1_000)
  db.takePlans()
  await store.recallDue(-1_000_000)
  await store.closeSession('g/main', NOW)
  await store.endClosed(NOW)
  const plans = db.takePlans()
  expect(wholeTable(plans)).toEqual([])
  expect(plans.join('\n')).toMatch(/messages USING COVERING INDEX messages_at_once/)
  expect(plans.join('\n')).toMatch(/deliveries USING INDEX deliveries_at_once/)
  expect(plans.join('\n')).toMatch(/sessions USING COVERING INDEX sessions_ending/)
  expect(plans.filter((line) => /TEMP B-TREE/.test(line))).toEqual([])
})

test('finds closed sessions to be archived by their partial index, and what keeps one by its own rows', async () => {
  await store.accept([newMessage('m1'), newMessage('m2', 'g/other')], 1)
  await store.closeSession('g/main', NOW)
  db.takePlans()
  const found = await store.listUnarchived({ closedBeforeMs: NOW, group: 'g', after: null, limit: 9 })
  await store.listUnarchived({ closedBeforeMs: NOW, group: null, after: found[0] ?? null, limit: 9 })
  expect(await store.recordArchived('g/main', {}, NOW)).toBe(true)
  await store.putOffArchive('g/other', { because: 'x', notBeforeMs: 1, detail: {} }, NOW)
  const plans = db.takePlans()
  expect(plans.join('\n')).toMatch(/SEARCH sessions USING INDEX sessions_unarchived/)
  expect(wholeTable(plans)).toEqual([])
  expect(plans.filter((line) => /TEMP B-TREE|messages_seq|replies_of_session/.test(line))).toEqual([])
})

test('walks no history and no other session in anything a run or a sweep causes', async () => {
  const key: RunKey = { sessionId: 'g/main', epoch: 1, name: 'run-1' }
  await store.accept([newMessage('m1'), newMessage('m2'), newMessage('m3', 'g/main', { trigger: false })], 1)
  await store.beginRun({
    sessionId: 'g/main',
    runtime: 'process',
    nameOf: () => key.name,
    maxLiveRuns: 9,
    probeForMs: 60_000,
    nowMs: NOW,
  })
  await store.fillWindow(key, NOW, { messages: 9, bytes: 9_999 }, true)
  const address = { platformId: null, channelType: null, threadId: null }
  await store.takeOutbox({
    run: key,
    nowMs: NOW,
    settlements: [
      { messageId: 'm1', attempt: 1, to: 'claimed' },
      { messageId: 'm2', attempt: 1, to: 'completed' },
    ],
    replies: [
      { id: 'r1', seq: 1, inReplyTo: 'm2', kind: 'chat', content: '{}', deliverAfterMs: NOW, address },
      { id: 'r3', seq: 3, inReplyTo: 'm2', kind: 'chat', content: '{}', deliverAfterMs: NOW, address },
    ],
    takenSeq: 3,
    countedAcks: [{ messageId: 'm1', ack: 'x' }],
    requests: [{ id: 'q1', seq: 5, content: '{"action":"list_tasks"}' }],
    sessionState: [{ key: 'k', value: 'v' }],
    sinks: ['hook'],
    provider: PROVIDER,
    journal: [],
  })
  for (const { delivery } of await store.listDueDeliveries(NOW, 9)) {
    await store.recordDelivery(delivery.id, 1, { to: 'delivered', platformMessageId: null }, NOW)
  }
  await store.readFacts('g/main', NOW)
  await store.requestCancelOfClaimed('g/main', NOW)
  await store.listSessions({ group: 'g', limit: 9, nowMs: NOW })
  await store.listMessages({ sessionId: 'g/main', statuses: ['pending', 'claimed', 'failed'], limit: 9 })
  await store.endRun({
    run: key,
    nowMs: NOW,
    end: 'exited',
    exit: null,
    settlements: [],
    sinks: ['hook'],
    provider: PROVIDER,
    spawnFailure: { error: 'x', notBeforeMs: NOW, tell: 'told' },
    journal: [],
  })
  const plans = db.takePlans()
  expect(plans.length).toBeGreaterThan(30)
  expect(wholeTable(plans)).toEqual([])
  // By session alone these would walk all that ever was in it.
  expect(
    plans.filter((line) =>
      /messages_seq|replies_of_session|journal_of|autoindex_runs_\d \(session_id=\?\)$/.test(line),
    ),
  ).toEqual([])
})

test('asks who works on an account that is held back of the live runs alone', async () => {
  const key: RunKey = { sessionId: 'g/main', epoch: 1, name: 'run-1' }
  const begin = (sessionId: string, nowMs: number) =>
    store.beginRun({ sessionId, runtime: 'process', nameOf: () => 'run-1', maxLiveRuns: 9, probeForMs: 60_000, nowMs })
  await store.accept([newMessage('m1'), newMessage('m2'), newMessage('m3', 'g/other')], 1)
  await begin('g/main', NOW)
  await store.fillWindow(key, NOW, { messages: 9, bytes: 9_999 }, true)
  const trouble = { kind: 'rate-limit', resetAtMs: null, isAlone: false } as const
  const retry = { to: 'retry', spendsTry: false, isSuspect: false, processAfterMs: NOW, error: null } as const
  await store.takeOutbox({
    run: key,
    nowMs: NOW,
    settlements: [{ messageId: 'm1', attempt: 1, ...retry, because: 'rate-limit', trouble }],
    replies: [],
    takenSeq: 0,
    countedAcks: [],
    requests: [],
    sessionState: [],
    sinks: [],
    provider: PROVIDER,
    journal: [],
  })
  db.takePlans()
  await store.listAccounts()
  await store.readFacts('g/main', NOW)
  await store.fillWindow(key, NOW, { messages: 9, bytes: 9_999 }, false)
  await store.oldestDueAtMs(NOW)
  expect(await begin('g/other', NOW)).toMatchObject({ because: 'account-parked' })
  await store.recallDue(-1_000_000)
  const plans = db.takePlans()
  expect(plans.join('\n')).toMatch(/SCAN r USING INDEX runs_live/)
  expect(plans.join('\n')).toMatch(/accounts_held/)
  expect(wholeTable(plans)).toEqual([])
})
