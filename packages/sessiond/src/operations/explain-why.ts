import { readFile } from 'node:fs/promises'
import type { Explanation, WhyQuery } from '../api.ts'
import type { EffectDeps } from '../effects/deps.ts'
import { blackBoxPath } from '../effects/keep-black-box.ts'
import type { HeldBack } from '../explain/tell-account.ts'
import { tellMessage } from '../explain/tell-message.ts'
import { tellRun } from '../explain/tell-run.ts'
import { tellStep } from '../explain/tell-step.ts'
import { instantWords, plain } from '../explain/words.ts'
import type { BlackBox } from '../model/black-box.ts'
import { SessiondError } from '../model/errors.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Run } from '../model/run.ts'
import type { Session } from '../model/session.ts'
import { archivePath } from '../prune/archive/archive-paths.ts'
import type { SessionFacts } from '../store/store.ts'
import type { Supervisor } from '../sweep/supervisor.ts'
import { sessionNotFound } from './stop-session.ts'

export interface ExplainDeps extends EffectDeps {
  readonly supervisor: Pick<Supervisor, 'explain'>
}

/** Newest journal lines an explanation is made from. */
const MAX_LINES = 200

/** Says what happened and why. Throws SESSION_NOT_FOUND, MESSAGE_NOT_FOUND, RUN_NOT_FOUND. */
export async function explainWhy(deps: ExplainDeps, query: WhyQuery): Promise<Explanation> {
  if ('messageId' in query) return explainMessage(deps, query.messageId)
  const session = await deps.store.getSession(query.sessionId)
  if (session === null) throw sessionNotFound(query.sessionId)
  const epoch = query.epoch ?? session.epoch
  const run = epoch === 0 ? null : await deps.store.getRun(session.id, epoch)
  if (run === null && query.epoch !== undefined) {
    const fields = { sessionId: session.id, epoch }
    throw new SessiondError('RUN_NOT_FOUND', `Session ${session.id} has no run ${epoch}.`, { fields })
  }
  const next = [...(await tellNextStep(deps, session.id)), ...tellArchive(session)]
  if (run === null) return { sentences: [`Session ${plain(session.id)} has had no run yet.`, ...next], run, box: null }
  return explainRun(deps, run, query.epoch === undefined || run.state !== 'gone' ? next : [])
}

function tellArchive({ id, archivedAtMs }: Session): string[] {
  if (archivedAtMs === null) return []
  return [`Its directory was put away at ${instantWords(archivedAtMs)}, into ${plain(archivePath(id))}.`]
}

async function explainRun(deps: ExplainDeps, run: Run, next: readonly string[]): Promise<Explanation> {
  const lines = await newestFirst(deps, { sessionId: run.sessionId, epoch: run.epoch })
  const box = await readBox(deps, run)
  return { sentences: [...tellRun(run, lines, box), ...next], run, box }
}

async function explainMessage(deps: ExplainDeps, messageId: string): Promise<Explanation> {
  const message = await deps.store.getMessage(messageId)
  if (message === null) {
    throw new SessiondError('MESSAGE_NOT_FOUND', `There is no message ${messageId}.`, { fields: { messageId } })
  }
  const lines = await newestFirst(deps, { messageId })
  const { maxTries } = deps.config.groups.get(message.group)?.retry ?? deps.config.defaults.retry
  const facts = await deps.store.readFacts(message.sessionId, deps.world.now())
  const heldBack = await heldBackOf(deps, facts)
  const sentences = tellMessage(message, lines, { maxTries, heldBack, nowMs: deps.world.now() })
  const epoch = message.claimEpoch ?? lastEpoch(lines)
  const run = epoch === null ? null : await deps.store.getRun(message.sessionId, epoch)
  if (run === null)
    return { sentences: [...sentences, ...(await nextOf(deps, message.sessionId, message))], run, box: null }
  const box = await readBox(deps, run)
  const ofRun = tellRun(run, [], box)
  return { sentences: [...sentences, ...ofRun, ...(await nextOf(deps, message.sessionId, message))], run, box }
}

async function nextOf(
  deps: ExplainDeps,
  sessionId: string,
  { status }: { readonly status: string },
): Promise<string[]> {
  return status === 'pending' ? tellNextStep(deps, sessionId) : []
}

async function newestFirst(
  { store }: ExplainDeps,
  query: { readonly sessionId?: string; readonly epoch?: number; readonly messageId?: string },
): Promise<JournalRecord[]> {
  return (await store.listJournal({ ...query, limit: MAX_LINES })).toReversed()
}

function lastEpoch(lines: readonly JournalRecord[]): number | null {
  return lines.findLast((line) => line.epoch !== null)?.epoch ?? null
}

async function tellNextStep(deps: ExplainDeps, sessionId: string): Promise<string[]> {
  const next = await deps.supervisor.explain(sessionId)
  const nowMs = deps.world.now()
  const facts = await deps.store.readFacts(sessionId, nowMs)
  if (next === null || facts === null) return []
  const { spawnNotBeforeMs, spawnFailures, lastSpawnError } = facts.session
  const heldBack = await heldBackOf(deps, facts)
  const { nextDueAtMs } = facts
  return [tellStep(next, { nowMs, heldBack, nextDueAtMs, spawnNotBeforeMs, spawnFailures, lastSpawnError })]
}

async function heldBackOf({ store }: ExplainDeps, facts: SessionFacts | null): Promise<HeldBack | null> {
  const bar = facts?.barred ?? null
  if (bar === null) return null
  const account = (await store.listAccounts()).find(({ name }) => name === bar.account)
  return { ...bar, reason: account?.reason ?? null }
}

/** Null where none was kept, or it cannot be read: an explanation without it is better than none. */
async function readBox(deps: EffectDeps, run: Run): Promise<BlackBox | null> {
  try {
    return JSON.parse(await readFile(blackBoxPath(deps, run.sessionId, run.epoch), 'utf8')) as BlackBox
  } catch {
    return null
  }
}
