import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { INBOUND_SCHEMA, OUTBOUND_SCHEMA } from '@sessiond/protocol'
import { giveTo, lookAt, removeDatabase } from './host-files.ts'
import type { InboundContent, RunUser } from './operations.ts'
import { writeInbound } from './write-inbound.ts'

/** Makes a complete `inbound.db` under a host-only name, readable for every run. */
export function makeInbound(path: string, content: InboundContent): void {
  makeDatabase(path, INBOUND_SCHEMA, (db) => {
    const { run, messages, answers } = content
    writeInbound(db, { upserts: messages, deletes: [], newAnswers: answers, oldAnswers: [], run })
  })
  chmodSync(path, 0o644)
}

/** Makes an empty `outbound.db` with the session's state under a host-only name and gives it to the run's user. */
export function makeOutbound(
  path: string,
  state: readonly (readonly [key: string, value: string])[],
  stateAt: string,
  owner: RunUser,
): void {
  makeDatabase(path, OUTBOUND_SCHEMA, (db) => {
    const insert = db.prepare('INSERT INTO session_state (key, value, updated_at) VALUES (?, ?, ?)')
    for (const [key, value] of state) insert.run(key, value, stateAt)
  })
  chmodSync(path, 0o600)
  const seen = lookAt(path)
  if (seen !== undefined) giveTo(path, seen, owner)
}

function makeDatabase(path: string, schema: string, fill: (db: DatabaseSync) => void): void {
  // A leftover of a host that died here.
  removeDatabase(path)
  const db = new DatabaseSync(path)
  try {
    // Nobody sees the file before it is complete, so nothing needs a journal; and it is a projection, rebuilt at
    // every start of a run, so nothing needs to outlive a loss of power.
    db.exec('PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA mmap_size=0; BEGIN')
    db.exec(schema)
    fill(db)
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}
