import { mayTakeMore, roomIn } from '../../decide/decide-account.ts'
import type { AccountBar } from '../../model/account.ts'
import type { SessionFacts } from '../store.ts'
import { getAccountOf, inUse } from './accounts.ts'
import type { Database } from './database.ts'
import { type MessageRow, type RunRow, type SessionRow, toMessage, toRun, toSession } from './rows.ts'
import { getLiveRunOf } from './runs.ts'

/** Beyond this many nobody needs the exact figure, and a pile of due messages must not make every look at it dear. */
const COUNT_UP_TO = 1_000

/** Reads one session with its live run and what is due, consistent in itself: nothing is written in between. */
export function readFacts(db: Database, sessionId: string, nowMs: number): SessionFacts | null {
  const session = db.get<SessionRow>('SELECT * FROM sessions WHERE id = ?', sessionId)
  if (session === undefined) return null
  const run = getLiveRunOf(db, sessionId)
  const claimed = db.all<MessageRow>(
    "SELECT * FROM messages WHERE session_id = ? AND status = 'claimed' ORDER BY seq",
    sessionId,
  )
  const due = countDueUnprojected(db, sessionId, run, nowMs)
  const projected = run === undefined ? 0 : countProjected(db, run)
  const isWorking = projected > 0 || claimed.some((message) => message.trigger === 1)
  const barred = due + projected === 0 ? null : findBar(db, session, run, { due: due + projected, isWorking, nowMs })
  return {
    session: toSession(session),
    run: run === undefined ? null : toRun(run),
    claimed: claimed.map(toMessage),
    barred,
    dueUnprojected: barred === null ? due : 0,
    // Held back it is nothing the run would have to heed.
    projectedUnclaimed: barred === null ? projected : 0,
    oldestDueAtMs: dueAtMs(db, sessionId, '<=', nowMs),
    nextDueAtMs: dueAtMs(db, sessionId, '>', nowMs),
  }
}

/** Without a run it is asked what a start would be asked, with one what a projection would. */
function findBar(
  db: Database,
  session: SessionRow,
  run: RunRow | undefined,
  { due, isWorking, nowMs }: { readonly due: number; readonly isWorking: boolean; readonly nowMs: number },
): AccountBar | null {
  const account = inUse(db, getAccountOf(db, session.group_name))
  const isFree = run === undefined ? roomIn(account, nowMs) > 0 : mayTakeMore(account, session.id, isWorking)
  return isFree ? null : { account: account.name, state: account.state, parkedUntilMs: account.parkedUntilMs, due }
}

/** A message for a run's first look is not due to a run that has had it; it waits for the next. */
function countDueUnprojected(db: Database, sessionId: string, run: RunRow | undefined, nowMs: number): number {
  const maxOnWake = run === undefined || run.started_at_ms === null ? 1 : 0
  const sql = `SELECT count(*) AS found FROM (
     SELECT 1 FROM messages INDEXED BY messages_waking
     WHERE session_id = ? AND status = 'pending' AND trigger = 1 AND projected_epoch IS NULL
       AND process_after_ms <= ? AND on_wake <= ? LIMIT ${COUNT_UP_TO})`
  return db.get<{ found: number }>(sql, sessionId, nowMs, maxOnWake)?.found ?? 0
}

/** Context left over from a finished trigger wakes nobody and must not keep its run from idling. */
function countProjected(db: Database, run: RunRow): number {
  const sql = `SELECT count(*) AS found FROM messages INDEXED BY messages_projected
     WHERE session_id = ? AND status = 'pending' AND projected_epoch = ? AND trigger = 1`
  return db.get<{ found: number }>(sql, run.session_id, run.epoch)?.found ?? 0
}

function dueAtMs(db: Database, sessionId: string, than: '<=' | '>', nowMs: number): number | null {
  const sql = `SELECT process_after_ms AS at_ms FROM messages INDEXED BY messages_waking
     WHERE session_id = ? AND status = 'pending' AND trigger = 1 AND process_after_ms ${than} ?
     ORDER BY process_after_ms LIMIT 1`
  return db.get<{ at_ms: number }>(sql, sessionId, nowMs)?.at_ms ?? null
}
