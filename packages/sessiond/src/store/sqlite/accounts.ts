import type { Trouble } from '@sessiond/protocol'
import type { ProviderPolicy } from '../../config/config.ts'
import { type AccountEvent, type AccountStep, beginOn, decideAccount, stallOn } from '../../decide/decide-account.ts'
import { type Account, type AccountInUse, type AccountState, openAccount, type Stall } from '../../model/account.ts'
import type { Database } from './database.ts'
import { groupOf } from './rows.ts'
import type { Tx } from './tx.ts'

interface AccountRow {
  readonly name: string
  readonly state: string
  readonly reason: string | null
  readonly parked_at_ms: number
  readonly parked_until_ms: number
  readonly probe_session_id: string | null
  readonly allowed: number
  readonly troubles: number
  readonly step_at_ms: number | null
  readonly answers: number
  readonly is_troubled: number
  readonly stalls: string
}

export function assignAccounts(tx: Tx, accountOf: ReadonlyMap<string, string>): void {
  tx.db.run('DELETE FROM account_groups')
  for (const [group, account] of accountOf) {
    tx.db.run('INSERT INTO account_groups (group_name, account) VALUES (?, ?)', group, account)
  }
}

/** The account of a group; one nobody ever had trouble with is open. */
export function getAccountOf(db: Database, group: string): Account {
  const sql = 'SELECT account FROM account_groups WHERE group_name = ?'
  const name = db.get<{ account: string }>(sql, group)?.account ?? group
  const row = db.get<AccountRow>('SELECT * FROM accounts WHERE name = ?', name)
  return row === undefined ? openAccount(name) : toAccount(row)
}

/** With who works on it; nobody is counted on an open one, where nobody asks. */
export function inUse(db: Database, account: Account): AccountInUse {
  if (account.state === 'open') return { ...account, working: 0, isProbeWorking: false, isProbeAtIt: false }
  const working = listWorking(db, account.name)
  const probe = account.probeSessionId ?? ''
  const isProbeWorking = working.includes(probe)
  return { ...account, working: working.length, isProbeWorking, isProbeAtIt: isProbeWorking && hasClaimed(db, probe) }
}

export function listAccounts(db: Database): AccountInUse[] {
  const sql = "SELECT * FROM accounts INDEXED BY accounts_held WHERE state <> 'open' ORDER BY name"
  return db.all<AccountRow>(sql).map((row) => inUse(db, toAccount(row)))
}

function hasClaimed(db: Database, sessionId: string): boolean {
  const sql = `SELECT 1 FROM messages INDEXED BY messages_claimed
     WHERE session_id = ? AND status = 'claimed' AND trigger = 1 LIMIT 1`
  return db.get(sql, sessionId) !== undefined
}

// A run that is on its way out, or cannot be got rid of, asks its provider for nothing more.
const WORKING = `
SELECT r.session_id FROM runs AS r INDEXED BY runs_live
  CROSS JOIN sessions AS s ON s.id = r.session_id
  LEFT JOIN account_groups AS g ON g.group_name = s.group_name
WHERE r.state <> 'gone' AND r.state IN ('starting', 'running') AND coalesce(g.account, s.group_name) = ?
  AND (r.state = 'starting'
    OR EXISTS (
      SELECT 1 FROM messages AS m INDEXED BY messages_claimed
      WHERE m.session_id = s.id AND m.status = 'claimed' AND m.trigger = 1)
    OR EXISTS (
      SELECT 1 FROM messages AS m INDEXED BY messages_projected
      WHERE m.session_id = s.id AND m.status = 'pending' AND m.projected_epoch = r.epoch AND m.trigger = 1))`

export function listWorking(db: Database, account: string): string[] {
  return db.all<{ session_id: string }>(WORKING, account).map((row) => row.session_id)
}

/** Lets an event change an account; returns what it is from then on. */
export function noteAccountEvent(
  tx: Tx,
  { sessionId, group, nowMs }: { readonly sessionId: string; readonly group: string; readonly nowMs: number },
  event: AccountEvent,
  policy: ProviderPolicy,
): Account {
  const account = getAccountOf(tx.db, group)
  const step = decideAccount(account, event, policy, nowMs)
  if (step !== null) save(tx, step, sessionId, nowMs)
  return step?.account ?? account
}

export function noteStall(tx: Tx, sessionId: string, nowMs: number): void {
  const account = getAccountOf(tx.db, groupOf(sessionId))
  save(tx, stallOn(account, sessionId, nowMs), sessionId, nowMs)
}

export function isStepDue(db: Database, nowMs: number): boolean {
  const sql = "SELECT 1 FROM accounts INDEXED BY accounts_held WHERE state <> 'open' AND step_at_ms <= ? LIMIT 1"
  return db.get(sql, nowMs) !== undefined
}

/** Moves on the accounts whose time has come. True: more of their sessions may work. */
export function stepAccounts(tx: Tx, nowMs: number, policy: ProviderPolicy): boolean {
  const steps = listAccounts(tx.db).flatMap((account) => {
    const { working: _, isProbeWorking, isProbeAtIt, ...held } = account
    return decideAccount(held, { kind: 'time', isProbeWorking, isProbeAtIt }, policy, nowMs) ?? []
  })
  for (const step of steps) save(tx, step, null, nowMs)
  return steps.some(({ line }) => line !== null)
}

/** A session of the account begins to run. */
export function noteBegun(
  tx: Tx,
  account: Account,
  sessionId: string,
  { probeForMs, nowMs }: { readonly probeForMs: number; readonly nowMs: number },
): void {
  const step = beginOn(account, sessionId, probeForMs, nowMs)
  if (step !== null) save(tx, step, sessionId, nowMs)
}

function save(tx: Tx, { account, line }: AccountStep, sessionId: string | null, nowMs: number): void {
  const { name, state, reason, parkedAtMs, parkedUntilMs, probeSessionId, allowed, troubles } = account
  const { stepAtMs, answers, isTroubled, stalls } = account
  tx.db.run(
    `INSERT OR REPLACE INTO accounts
       (name, state, reason, parked_at_ms, parked_until_ms, probe_session_id, allowed, troubles, step_at_ms,
        answers, is_troubled, stalls)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    name,
    state,
    reason,
    parkedAtMs,
    parkedUntilMs,
    probeSessionId,
    allowed,
    troubles,
    stepAtMs,
    answers,
    isTroubled ? 1 : 0,
    JSON.stringify(stalls),
  )
  if (line === null) return
  const detail = { account: name, sessionId, reason, parkedUntilMs, allowed, troubles }
  tx.journal({ type: line, atMs: nowMs, sessionId: null, epoch: null, messageId: null, detail })
}

function toAccount(row: AccountRow): Account {
  return {
    name: row.name,
    state: row.state as AccountState,
    reason: row.reason as Trouble | null,
    parkedAtMs: row.parked_at_ms,
    parkedUntilMs: row.parked_until_ms,
    probeSessionId: row.probe_session_id,
    allowed: row.allowed,
    troubles: row.troubles,
    stepAtMs: row.step_at_ms,
    answers: row.answers,
    isTroubled: row.is_troubled === 1,
    stalls: JSON.parse(row.stalls) as Stall[],
  }
}
