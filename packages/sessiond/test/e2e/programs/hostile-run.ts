/**
 * A run that claims its first message the way the protocol says, and once the host has seen that, does what the message
 * tells it to: `{ "mode": …, "ids": […], "dies": … }`.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { INBOUND_DB, OUTBOUND_DB, RUN_ENV } from '../../../../protocol/src/layout.ts'

/** What a hostile run is told to do. */
export interface Evil {
  readonly mode: 'fifo' | 'link' | 'garbage' | 'lock' | 'delete' | 'rows' | 'strangers' | 'requests'
  /** Messages and replies of others. */
  readonly ids?: readonly string[]
  readonly dies?: boolean
}

const IN = join(process.env[RUN_ENV.in] ?? '', INBOUND_DB)
const OUT = join(process.env[RUN_ENV.out] ?? '', OUTBOUND_DB)
const EPOCH = Number(process.env[RUN_ENV.epoch])
const ROWS = 100_000
const REQUESTS = 10_000

const DEEDS: Readonly<Record<Evil['mode'], () => void>> = {
  fifo: () => {
    rmSync(OUT)
    execFileSync('mkfifo', [OUT])
  },
  link: () => {
    rmSync(OUT)
    symlinkSync('../../../../store.db', OUT)
  },
  garbage: () => writeFileSync(OUT, randomBytes(64 * 1024)),
  lock: () => db.exec('BEGIN EXCLUSIVE'),
  delete: () => rmSync(OUT),
  rows: () => {
    db.exec('BEGIN')
    for (let row = 1; row <= ROWS; row += 1) reply('flood', 2 * row + 1, null)
    ack(message.id, 'completed', message.attempt)
    db.exec('COMMIT')
  },
  strangers: () => {
    db.exec('BEGIN')
    for (const [index, id] of (evil.ids ?? []).entries()) {
      ack(id, index % 2 === 0 ? 'completed' : 'failed', index % 3 === 0 ? null : 1)
      reply('forged', 2 * index + 3, id)
    }
    // A reply that carries the id of somebody else's, and one that repeats its own.
    for (const [index, id] of (evil.ids ?? []).entries()) reply('stolen', 2 * index + 1_001, null, id)
    reply('mine', 5_001, message.id)
    ack(message.id, 'completed', message.attempt)
    db.exec('COMMIT')
  },
  requests: () => {
    const task = { action: 'schedule_task', text: 'x', after: '1d' }
    const [foreign = ''] = evil.ids ?? []
    const odd: unknown[] = [
      { action: 'cancel_task', task: foreign },
      { action: 'update_task', task: foreign, text: 'mine' },
      { action: 'pause_task', task: foreign, sessionId: 'shell/main' },
      { ...task, group: 'shell', session: 'main' },
      { ...task, id: foreign },
      { action: 'close_session' },
      { action: { toString: 1 } },
      { action: 'schedule_task', text: 'x'.repeat(100_000), after: '1d' },
      { ...task, text: 7 },
      { ...task, cron: '* '.repeat(10_000) },
      { ...task, timeZone: '../../etc/passwd' },
    ]
    db.exec('BEGIN')
    for (const [index, content] of odd.entries()) ask(content, 2 * index + 3)
    // The same id over and over: asked once.
    for (let row = 0; row < 10; row += 1) ask(task, 2 * row + 101, 'same')
    for (let row = 0; row < REQUESTS; row += 1) ask(task, 2 * row + 1_001)
    ack(message.id, 'completed', message.attempt)
    db.exec('COMMIT')
  },
}

const message = await firstMessage()
const evil = JSON.parse(String((JSON.parse(message.content) as { text: string }).text)) as Evil
const db = new DatabaseSync(OUT, { timeout: 5_000 })
ack(message.id, 'processing', message.attempt)
reply('seen', 1, null)
while (takenSeq() < 1) await setTimeout(20)
await DEEDS[evil.mode]()
if (evil.dies === true) process.exit(3)
setInterval(() => {}, 60_000)

interface Row {
  readonly id: string
  readonly content: string
  readonly attempt: number
}

async function firstMessage(): Promise<Row> {
  for (;;) {
    const found = look<Row>(
      "SELECT id, content, attempt FROM messages_in WHERE status = 'pending' ORDER BY seq LIMIT 1",
    )
    if (found !== undefined) return found
    await setTimeout(20)
  }
}

function takenSeq(): number {
  return look<{ taken_seq: number }>('SELECT taken_seq FROM run')?.taken_seq ?? 0
}

/** Undefined also while the host writes. */
function look<T>(sql: string): T | undefined {
  const inbound = new DatabaseSync(IN, { readOnly: true, timeout: 1_000 })
  try {
    return inbound.prepare(sql).get() as T | undefined
  } finally {
    inbound.close()
  }
}

function ask(content: unknown, seq: number, id = `q-${EPOCH}-${seq}`): void {
  db.prepare(
    "INSERT OR REPLACE INTO messages_out (id, seq, timestamp, kind, content, epoch) VALUES (?, ?, ?, 'system', ?, ?)",
  ).run(id, seq, new Date().toISOString(), JSON.stringify(content), EPOCH)
}

function ack(id: string, status: string, attempt: number | null): void {
  db.prepare(
    `INSERT INTO processing_ack (message_id, status, status_changed, epoch, attempt) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (message_id) DO UPDATE SET status = excluded.status`,
  ).run(id, status, new Date().toISOString(), EPOCH, attempt)
}

function reply(text: string, seq: number, inReplyTo: string | null, id = `r-${EPOCH}-${seq}-${process.pid}`): void {
  db.prepare(
    "INSERT INTO messages_out (id, seq, in_reply_to, timestamp, kind, content, epoch) VALUES (?, ?, ?, ?, 'chat', ?, ?)",
  ).run(id, seq, inReplyTo, new Date().toISOString(), JSON.stringify({ text }), EPOCH)
}
