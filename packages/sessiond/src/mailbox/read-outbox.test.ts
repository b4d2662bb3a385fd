import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OUTBOUND_SCHEMA } from '@sessiond/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOutbox } from './read-outbox.ts'
import { sessionPaths } from './session-paths.ts'

const PAGE_BYTES = 65_536
const ROWS = 700

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sessiond-read-outbox-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Where a binary search over `count` cells looks that is told "further left" every time. */
function leftmostPath(count: number): Set<number> {
  const path = new Set<number>()
  for (let high = count - 1; high >= 0; high = (high >> 1) - 1) path.add(high >> 1)
  return path
}

/** Writes an outbox whose index on seq is out of order, so that "after 5" leads to rows with 5. */
function craftLyingIndex(path: string): void {
  const searched = leftmostPath(ROWS)
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size=${PAGE_BYTES}; ${OUTBOUND_SCHEMA} DROP TABLE messages_out;
    CREATE TABLE messages_out (id TEXT, seq, content TEXT, kind TEXT); CREATE INDEX by_seq ON messages_out (seq)`)
  db.exec('BEGIN')
  const insert = db.prepare(`INSERT INTO messages_out VALUES (?, ?, '{"text":"x"}', 'chat')`)
  for (let row = 0; row < ROWS; row += 1) insert.run(`r${row}`, row < ROWS - searched.size ? 5n : 5.5)
  db.exec('COMMIT')
  const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'by_seq'").get()?.rootpage)
  db.close()
  const file = readFileSync(path)
  const page = file.subarray((root - 1) * PAGE_BYTES, root * PAGE_BYTES)
  // A leaf of an index (file format, section 1.6): the offsets of its cells begin at byte 8, in the order of their keys.
  const cells = Array.from({ length: ROWS }, (_, cell) => page.readUInt16BE(8 + 2 * cell))
  const [fives, others] = [cells.slice(0, ROWS - searched.size), cells.slice(ROWS - searched.size)]
  for (let cell = 0; cell < ROWS; cell += 1) {
    page.writeUInt16BE((searched.has(cell) ? others.pop() : fives.pop()) ?? 0, 8 + 2 * cell)
  }
  writeFileSync(path, file)
}

test('(G7) refuses an outbox whose index would keep its reader going round for ever', () => {
  const path = join(dir, 'outbound.db')
  craftLyingIndex(path)
  const db = new DatabaseSync(path, { readOnly: true, readBigInts: true })
  const bounds = { paths: sessionPaths(dir, 'g/main'), maxRows: 256, maxBytes: 2 ** 20 }
  expect(() => readOutbox(db, { ...bounds, afterSeq: 5 })).toThrow('order of messages_out')
  db.close()
})
