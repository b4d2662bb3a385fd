import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  type AckStatus,
  type ContainerStateRow,
  formatTimestamp,
  INBOUND_DB,
  INBOUND_SCHEMA,
  MAILBOX_PRAGMAS,
  type MessageInRow,
  type MessageOutRow,
  OUTBOUND_DB,
  type ProcessingAckRow,
} from '@sessiond/protocol'
import { vi } from 'vitest'

/** How long a test waits for what must come; it costs nothing when it does. */
const PATIENCE = { timeout: 20_000, interval: 10 }

export interface TestMessage {
  readonly id: string
  readonly text?: string
  readonly content?: string
  readonly trigger?: 0 | 1
  readonly onWake?: 0 | 1
  readonly attempt?: number
  readonly processAfter?: string | null
  readonly platformId?: string
}

/** The host's side of one mailbox on real files: what a run's tests need of it, and no more. */
export class HostSide {
  readonly root = mkdtempSync(join(tmpdir(), 'runner-test-'))
  readonly inDir = join(this.root, 'in')
  readonly outDir = join(this.root, 'out')
  readonly workDir = join(this.root, 'work')
  readonly inboundPath = join(this.inDir, INBOUND_DB)
  readonly outboundPath = join(this.outDir, OUTBOUND_DB)
  #seq = 0

  constructor() {
    for (const directory of [this.inDir, this.outDir, this.workDir]) mkdirSync(directory)
  }

  /** Makes `inbound.db` for a run of this epoch. */
  grant(epoch: number, takenSeq = 0): void {
    this.writeInbound((db) => {
      db.exec(INBOUND_SCHEMA)
      db.exec('DELETE FROM run')
      db.prepare('INSERT INTO run (epoch, granted_at, taken_seq) VALUES (?, ?, ?)').run(epoch, now(), takenSeq)
    })
  }

  /** Shows messages to the run, in one transaction. */
  send(...messages: readonly TestMessage[]): void {
    this.writeInbound((db) => {
      for (const message of messages) this.#insert(db, message)
    })
  }

  /** Hands a message out once more. */
  retry(id: string, attempt: number): void {
    this.writeInbound((db) => {
      db.prepare("UPDATE messages_in SET attempt = ?, status = 'pending' WHERE id = ?").run(attempt, id)
    })
  }

  cancel(id: string): void {
    this.writeInbound((db) => db.prepare("UPDATE messages_in SET status = 'failed' WHERE id = ?").run(id))
  }

  /** Shows a message no more, as a host does with one it ended before it saw the claim. */
  withdraw(id: string): void {
    this.writeInbound((db) => db.prepare('DELETE FROM messages_in WHERE id = ?').run(id))
  }

  /** What a host does with what a run wrote: takes it, tells how far, shows ended messages no more. */
  take(): { replies: readonly MessageOutRow[]; ended: readonly string[] } {
    const replies = this.replies()
    const ended = this.acks()
      .filter(({ status }) => status !== 'processing')
      .map((ack) => ack.message_id)
    this.writeInbound((db) => {
      db.prepare('UPDATE run SET taken_seq = max(taken_seq, ?)').run(replies.at(-1)?.seq ?? 0)
      for (const id of ended) db.prepare('DELETE FROM messages_in WHERE id = ?').run(id)
    })
    return { replies, ended }
  }

  writeInbound(work: (db: DatabaseSync) => void): void {
    const db = new DatabaseSync(this.inboundPath, { timeout: 5_000 })
    try {
      db.exec(`${MAILBOX_PRAGMAS} BEGIN IMMEDIATE`)
      work(db)
      db.exec('COMMIT')
    } finally {
      db.close()
    }
  }

  outboundExists(): boolean {
    return existsSync(this.outboundPath)
  }

  /** Says what became of a request. */
  answer(requestId: string, status: string, text: string): void {
    this.writeInbound((db) => db.prepare('INSERT INTO answers VALUES (?, ?, ?)').run(requestId, status, text))
  }

  /** Answers the nth row of the outbox, which is a request, once it is there; returns what was asked. */
  async answerNth(nth: number, status: string, text: string): Promise<Record<string, unknown>> {
    const row = await until(() => {
      const found = this.outboundExists() ? this.replies()[nth - 1] : undefined
      if (found === undefined) throw new Error(`row ${nth} of the outbox is not there`)
      return found
    })
    this.answer(row.id, status, text)
    return JSON.parse(row.content) as Record<string, unknown>
  }

  acks(): ProcessingAckRow[] {
    return this.readOutbound<ProcessingAckRow>('SELECT * FROM processing_ack ORDER BY rowid')
  }

  ack(id: string): ProcessingAckRow | undefined {
    return this.acks().find((ack) => ack.message_id === id)
  }

  replies(): MessageOutRow[] {
    return this.readOutbound<MessageOutRow>('SELECT * FROM messages_out ORDER BY seq')
  }

  /** What was said, in order. */
  texts(): string[] {
    return this.replies().map(textOf)
  }

  state(): ContainerStateRow | undefined {
    return this.readOutbound<ContainerStateRow>('SELECT * FROM container_state')[0]
  }

  /** Reads `outbound.db` as the host does of a live run: read-only. */
  readOutbound<Row>(sql: string): Row[] {
    const db = new DatabaseSync(this.outboundPath, { readOnly: true, timeout: 1_000 })
    try {
      return db.prepare(sql).all() as unknown as Row[]
    } finally {
      db.close()
    }
  }

  /** What the host does once a run's exit is confirmed: rolls its journal back and clears its open claims. */
  recoverOutbound(): void {
    const db = new DatabaseSync(this.outboundPath)
    try {
      db.exec("DELETE FROM processing_ack WHERE status = 'processing'")
    } finally {
      db.close()
    }
  }

  async untilAck(id: string, status: AckStatus): Promise<ProcessingAckRow> {
    return until(() => {
      const ack = this.ack(id)
      if (ack?.status !== status) throw new Error(`${id} is ${JSON.stringify(ack)}, not ${status}`)
      return ack
    })
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  #insert(db: DatabaseSync, message: TestMessage): void {
    this.#seq += 2
    const row: Partial<MessageInRow> = {
      id: message.id,
      seq: this.#seq,
      kind: 'chat',
      timestamp: now(),
      process_after: message.processAfter ?? null,
      trigger: message.trigger ?? 1,
      on_wake: message.onWake ?? 0,
      content: message.content ?? JSON.stringify({ text: message.text ?? message.id }),
      platform_id: message.platformId ?? null,
      attempt: message.attempt ?? 1,
    }
    const columns = Object.keys(row)
    const values = columns.map((column) => `:${column}`)
    db.prepare(`INSERT INTO messages_in (${columns.join(', ')}) VALUES (${values.join(', ')})`).run(row)
  }
}

/** Resolves once `look` returns without throwing. */
export function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, PATIENCE)
}

/** Resolves once `isTrue` is. */
export function untilTrue(isTrue: () => boolean): Promise<void> {
  return until(() => {
    if (!isTrue()) throw new Error(`not yet: ${isTrue}`)
  })
}

/** The text of a reply row. */
export function textOf(row: MessageOutRow): string {
  return (JSON.parse(row.content) as { text: string }).text
}

function now(): string {
  return formatTimestamp(Date.now())
}
