import { mayTakeMore } from '../../decide/decide-account.ts'
import type { Message } from '../../model/message.ts'
import type { RunKey, WindowLimits, WindowMessage } from '../store.ts'
import { getAccountOf, inUse } from './accounts.ts'
import type { Database } from './database.ts'
import { groupOf, type MessageRow, type RunRow, toMessage } from './rows.ts'
import { getLiveRun } from './runs.ts'
import type { Tx } from './tx.ts'

/** What choosing needs to know of a message; never its content. */
interface Candidate {
  readonly id: string
  readonly status: string
  readonly process_after_ms: number
  readonly seq: number
  readonly trigger: number
  readonly is_suspect: number
  readonly bytes: number
}

const CANDIDATE = 'id, status, process_after_ms, seq, trigger, is_suspect, octet_length(content) AS bytes'

/** Fills the live run's window and returns all of it, oldest due first, then by seq; null when the run is not live. */
export function fillWindow(
  tx: Tx,
  run: RunKey,
  nowMs: number,
  limits: WindowLimits,
  isFirstLook: boolean,
): WindowMessage[] | null {
  const row = getLiveRun(tx.db, run)
  if (row === undefined) return null
  const isBarred = isTaking(row) && isHeldBack(tx.db, row)
  const held = listHeld(tx.db, run)
  // A run that is being stopped gets nothing new: it would only have to give it back (B5). Nor does one of a closed
  // session, whose messages are being ended.
  const takesMore = isTaking(row) && !isBarred && isOpen(tx.db, run.sessionId)
  const chosen = takesMore ? choose(tx.db, run.sessionId, held, nowMs, limits, isFirstLook) : []
  for (const { id } of chosen) {
    const sql = 'UPDATE messages SET projected_epoch = ?, attempt = attempt + 1 WHERE id = ?'
    tx.db.run(sql, run.epoch, id)
  }
  return [...held, ...chosen].sort(inOrder).map(({ id, status }) => {
    return { ...readMessage(tx.db, id), isHeldBack: isBarred && status === 'pending' }
  })
}

function isTaking({ state }: RunRow): boolean {
  return state === 'starting' || state === 'running'
}

/** The account of its session holds it back. A run that only just starts counts as working: it was let in. */
function isHeldBack(db: Database, row: RunRow): boolean {
  const account = inUse(db, getAccountOf(db, groupOf(row.session_id)))
  if (account.state === 'open') return false
  const isWorking = row.state === 'starting' || holdsTrigger(db, row)
  return !mayTakeMore(account, row.session_id, isWorking)
}

function holdsTrigger(db: Database, { session_id: sessionId, epoch }: RunRow): boolean {
  return listHeld(db, { sessionId, epoch }).some((message) => message.trigger === 1)
}

function isOpen(db: Database, sessionId: string): boolean {
  return db.get("SELECT 1 FROM sessions WHERE id = ? AND status = 'open'", sessionId) !== undefined
}

function listHeld(db: Database, run: Pick<RunKey, 'sessionId' | 'epoch'>): Candidate[] {
  const claimed = `SELECT ${CANDIDATE} FROM messages WHERE session_id = ?1 AND status = 'claimed' AND claim_epoch = ?2`
  const projected = `SELECT ${CANDIDATE} FROM messages INDEXED BY messages_projected
     WHERE session_id = ?1 AND status = 'pending' AND projected_epoch = ?2`
  return db.all<Candidate>(`${claimed} UNION ALL ${projected}`, run.sessionId, run.epoch)
}

/**
 * Chooses what is newly handed over, oldest due first. Context rides along only with a trigger message of the same or
 * a later due time. A window without a trigger wakes nobody, so the oldest trigger is taken first, whatever context is
 * older and whatever its size: for this one message the window may go over its limits.
 *
 * A suspect is alone among the triggers: what is held goes first, and what is behind it waits, or its death would be
 * theirs too. It keeps its turn, so neither it nor those behind it wait longer than the turns before them take.
 */
function choose(
  db: Database,
  sessionId: string,
  held: readonly Candidate[],
  nowMs: number,
  limits: WindowLimits,
  isFirstLook: boolean,
): Candidate[] {
  if (limits.messages <= 0) return []
  const due = new DueMessages(db, sessionId, nowMs, isFirstLook)
  const heldTriggers = held.filter((message) => message.trigger === 1)
  const first = heldTriggers.length === 0 ? due.firstTrigger() : undefined
  if (heldTriggers.length === 0 && first === undefined) return []
  if (heldTriggers.some(isSuspect)) return []

  const chosen = first === undefined ? [] : [first]
  let bytesLeft = limits.bytes - sum(held) - sum(chosen)
  const room = limits.messages - held.length
  for (const candidate of room > chosen.length ? due.oldest(room) : []) {
    if (chosen.length === room) break
    if (candidate.id === first?.id) continue
    if (candidate.trigger === 1 && (isSuspect(candidate) || (first !== undefined && isSuspect(first)))) break
    if (candidate.bytes > bytesLeft) {
      // No trigger passes an older one; context that does not fit waits for a smaller neighbour.
      if (candidate.trigger === 1) break
      continue
    }
    chosen.push(candidate)
    bytesLeft -= candidate.bytes
  }
  return withoutLateContext(chosen, heldTriggers)
}

function isSuspect(candidate: Candidate): boolean {
  return candidate.is_suspect === 1
}

/** Context later than the last trigger in the window belongs to a trigger that is still to come. */
function withoutLateContext(chosen: readonly Candidate[], heldTriggers: readonly Candidate[]): Candidate[] {
  const triggers = [...heldTriggers, ...chosen.filter((message) => message.trigger === 1)]
  const lastMs = Math.max(...triggers.map((message) => message.process_after_ms))
  return chosen.filter((message) => message.trigger === 1 || message.process_after_ms <= lastMs)
}

class DueMessages {
  readonly #db: Database
  readonly #sessionId: string
  readonly #nowMs: number
  readonly #maxOnWake: number

  constructor(db: Database, sessionId: string, nowMs: number, isFirstLook: boolean) {
    this.#db = db
    this.#sessionId = sessionId
    this.#nowMs = nowMs
    this.#maxOnWake = isFirstLook ? 1 : 0
  }

  firstTrigger(): Candidate | undefined {
    return this.#select(WAKING, 1)[0]
  }

  /** The oldest of both kinds together; each kind has its own index, so that neither hides the other. */
  oldest(limit: number): Candidate[] {
    const both = [...this.#select(WAKING, limit), ...this.#select(CONTEXT, limit)]
    return both.sort(inOrder).slice(0, limit)
  }

  #select(kind: string, limit: number): Candidate[] {
    return this.#db.all<Candidate>(
      `SELECT ${CANDIDATE} FROM messages ${kind}
         AND session_id = ? AND projected_epoch IS NULL AND process_after_ms <= ? AND on_wake <= ?
       ORDER BY process_after_ms, seq LIMIT ?`,
      this.#sessionId,
      this.#nowMs,
      this.#maxOnWake,
      limit,
    )
  }
}

const WAKING = "INDEXED BY messages_waking WHERE status = 'pending' AND trigger = 1"
const CONTEXT = "INDEXED BY messages_context WHERE status = 'pending' AND trigger = 0"

function sum(messages: readonly Candidate[]): number {
  return messages.reduce((bytes, message) => bytes + message.bytes, 0)
}

function inOrder(a: Candidate, b: Candidate): number {
  return a.process_after_ms - b.process_after_ms || a.seq - b.seq
}

function readMessage(db: Database, id: string): Message {
  const row = db.get<MessageRow>('SELECT * FROM messages WHERE id = ?', id)
  if (row === undefined) throw new Error(`message ${id} vanished inside its transaction`)
  return toMessage(row)
}
