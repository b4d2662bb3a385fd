import { roomIn } from '../../decide/decide-account.ts'
import type { Account } from '../../model/account.ts'
import { runLine } from '../../model/journal.ts'
import type { BeginRunResult, Store } from '../store.ts'
import { getAccountOf, inUse, noteBegun } from './accounts.ts'
import type { Database } from './database.ts'
import { type SessionRow, toRun } from './rows.ts'
import { countLiveRuns, getLiveRun, getLiveRunOf } from './runs.ts'
import type { Tx } from './tx.ts'

type Intent = Parameters<Store['beginRun']>[0]
type Refusal = (BeginRunResult & { begun: false })['because']

/** Checks everything that must hold for a run to start and records the intent, in one transaction (D6). */
export function beginRun(tx: Tx, intent: Intent): BeginRunResult {
  const session = tx.db.get<SessionRow>('SELECT * FROM sessions WHERE id = ?', intent.sessionId)
  if (session === undefined) return { begun: false, because: 'no-session' }
  const account = getAccountOf(tx.db, session.group_name)
  const because = whyNot(tx.db, session, account, intent)
  if (because !== null) return { begun: false, because }
  noteBegun(tx, account, session.id, intent)
  return begin(tx, session.epoch + 1, intent)
}

function whyNot(db: Database, session: SessionRow, account: Account, { maxLiveRuns, nowMs }: Intent): Refusal | null {
  if (session.status === 'closed') return 'closed'
  if (getLiveRunOf(db, session.id) !== undefined) return 'live-run'
  if (!hasDue(db, session.id, nowMs)) return 'not-due'
  if (session.spawn_not_before_ms > nowMs) return 'back-off'
  if (roomIn(inUse(db, account), nowMs) < 1) return 'account-parked'
  return countLiveRuns(db) >= maxLiveRuns ? 'cap' : null
}

function hasDue(db: Database, sessionId: string, nowMs: number): boolean {
  const sql = `SELECT 1 FROM messages WHERE session_id = ? AND status = 'pending' AND trigger = 1
     AND process_after_ms <= ? LIMIT 1`
  return db.get(sql, sessionId, nowMs) !== undefined
}

function begin(tx: Tx, epoch: number, { sessionId, runtime, nameOf, nowMs }: Intent): BeginRunResult {
  const key = { sessionId, epoch, name: nameOf(epoch) }
  tx.db.run('UPDATE sessions SET epoch = ? WHERE id = ?', epoch, sessionId)
  tx.db.run(
    `INSERT INTO runs (session_id, epoch, name, runtime, state, intended_at_ms, last_active_at_ms)
     VALUES (?, ?, ?, ?, 'starting', ?, ?)`,
    sessionId,
    epoch,
    key.name,
    runtime,
    nowMs,
    nowMs,
  )
  tx.journal(runLine('run:intended', nowMs, key, { name: key.name, runtime }))
  const row = getLiveRun(tx.db, key)
  if (row === undefined) throw new Error(`run ${key.name} vanished inside its transaction`)
  return { begun: true, run: toRun(row) }
}
