import { type RecordingLine, RUNNER_EXIT } from '@sessiond/protocol'
import { backoffMs } from '../decide/backoff.ts'
import { isStallShared } from '../decide/decide-account.ts'
import { decideBatch } from '../decide/decide-batch.ts'
import { settlementOf } from '../decide/decide-outbox.ts'
import { describeRunEnd, isStall, type Mishap } from '../decide/decide-retry.ts'
import { decideSpawnFailure } from '../decide/decide-spawn-failure.ts'
import { hasCode } from '../model/errors.ts'
import { type JournalEntry, runLine } from '../model/journal.ts'
import type { Run, RunEnd, RunExit } from '../model/run.ts'
import type { RunWatch } from '../observe/run-watch.ts'
import type { EndRun, SessionFacts } from '../store/store.ts'
import { type EffectDeps, type EffectOutcome, keyOf, sinksOf, wordsOf } from './deps.ts'
import { forgetOldEvidence } from './forget-evidence.ts'
import { keepRecording } from './keep-black-box.ts'
import { saveRunLog } from './save-run-log.ts'
import { runtimeOf } from './stop-run.ts'
import { takeOutbox } from './take-outbox.ts'

/** Looks at a dead run's outbox before it is given up as unreadable: a passing fault is not a torn file. */
const FINAL_LOOKS = 3

/** Somebody else has it open (a backup, a person's shell), or the disk is slow: that passes. Some two minutes in all. */
const BUSY_LOOKS = 12
const BUSY_AGAIN = { baseMs: 50, maxMs: 20_000 }

/**
 * Closes the books of a run whose exit is confirmed: takes in what it left, settles every message it held, frees its
 * container. In this order, so that a host dying in between finds the same run, still not gone, and does it again.
 */
export async function settleRun(deps: EffectDeps, run: Run, exit: RunExit | null): Promise<EffectOutcome> {
  const journal = await takeLastWords(deps, run)
  if (journal === 'busy') return comeBack(deps, run)
  await deps.world.boundary('settle:taken')
  await saveRunLog(deps, run)
  const facts = await deps.store.readFacts(run.sessionId, deps.world.now())
  if (facts?.run?.name !== run.name) return { done: false, outcome: 'run-not-live' }
  const sharedStall = await findSharedStall(deps, facts.run)
  const ended = await deps.store.endRun(decideEnd(deps, facts, facts.run, { exit, sharedStall, journal }))
  await deps.world.boundary('settle:ended')
  const recording = deps.watches.find(run.sessionId)?.recording() ?? []
  deps.watches.drop(keyOf(run))
  await keepRecording(deps, { ...run, end: run.end ?? 'exited' }, [...recording, exitLine(recording, exit)])
  await forgetOldEvidence(deps, run.sessionId)
  await release(deps, run)
  await deps.world.boundary('settle:released')
  return { done: ended.applied, outcome: ended.applied ? 'settled' : 'run-not-live' }
}

function exitLine(recording: readonly RecordingLine[], exit: RunExit | null): RecordingLine {
  return { t: recording.at(-1)?.t ?? 0, kind: 'exit', code: exit?.code ?? null, signal: exit?.signal ?? null }
}

async function takeLastWords(deps: EffectDeps, run: Run): Promise<JournalEntry[] | 'busy'> {
  for (let look = 1; ; look += 1) {
    try {
      await takeOutbox(deps, run, true)
      return []
    } catch (error) {
      if (!hasCode(error, 'MAILBOX_TORN', 'MAILBOX_UNSAFE', 'MAILBOX_TIMEOUT', 'MAILBOX_BUSY')) throw error
      const isBusy = hasCode(error, 'MAILBOX_TIMEOUT', 'MAILBOX_BUSY')
      if (isBusy && watchOf(deps, run).busyFinalLooks < BUSY_LOOKS) return 'busy'
      if (!isBusy && look < FINAL_LOOKS) continue
      // Set aside, not deleted: someone may want to see what it was. The messages it held are run again.
      const keptAs = await deps.mailbox.setAside(run.sessionId, run.epoch)
      const detail = { code: error.code, words: wordsOf(error), isKept: keptAs !== null }
      return [runLine('mailbox:setAside', deps.world.now(), keyOf(run), detail)]
    }
  }
}

function comeBack(deps: EffectDeps, run: Run): EffectOutcome {
  const watch = watchOf(deps, run)
  const againInMs = backoffMs(BUSY_AGAIN, watch.busyFinalLooks, 0)
  watch.busyFinalLooks += 1
  return { done: false, outcome: 'mailbox-busy', againInMs }
}

function watchOf(deps: EffectDeps, run: Run): RunWatch {
  return deps.watches.of(keyOf(run), deps.world.monotonicMs())
}

/** What is known of an end beside the store's facts. */
interface Seen {
  readonly exit: RunExit | null
  readonly sharedStall: (Mishap & { kind: 'run-ended' })['sharedStall']
  readonly journal: readonly JournalEntry[]
}

/** Null: it did not stall, or no other session of its account did. */
async function findSharedStall({ store, config, world }: EffectDeps, run: Run): Promise<Seen['sharedStall']> {
  if (run.end === null || !isStall(run.end)) return null
  const account = await store.getAccount(run.group)
  return isStallShared(account, run.sessionId, config.provider, world.now()) ? { answers: account.answers } : null
}

function decideEnd(deps: EffectDeps, facts: SessionFacts, run: Run, { exit, sharedStall, journal }: Seen): EndRun {
  const nowMs = deps.world.now()
  const end = endOf(run, exit)
  const tool = deps.watches.find(run.sessionId)?.toolInFlight ?? null
  const isExcused = deps.watches.find(run.sessionId)?.isExcused ?? true
  const policy = deps.config.groups.get(run.group)?.retry ?? deps.config.defaults.retry
  const mishap: Mishap = { kind: 'run-ended', end, exit, isExcused, tool, sharedStall }
  const decisions = decideBatch(facts.claimed, mishap, policy, nowMs, deps.world.random())
  const settlements = facts.claimed.flatMap((message) => {
    const decision = decisions.get(message.id)
    return decision === undefined ? [] : [settlementOf(message, decision)]
  })
  return {
    run: keyOf(run),
    nowMs,
    end,
    exit,
    settlements,
    sinks: sinksOf(deps.config, run.group),
    provider: deps.config.provider,
    spawnFailure: isExcused ? null : spawnFailureOf(deps, facts, run, end, exit, nowMs),
    journal,
  }
}

function endOf(run: Run, exit: RunExit | null): RunEnd {
  if (run.end !== null) return run.end
  return exit?.code === RUNNER_EXIT.superseded ? 'superseded' : 'exited'
}

/** A run that ended by its own doing before it claimed anything, with work waiting, never really came up (D9). */
function spawnFailureOf(
  deps: EffectDeps,
  facts: SessionFacts,
  run: Run,
  end: RunEnd,
  exit: RunExit | null,
  nowMs: number,
): EndRun['spawnFailure'] {
  const isItsDoing = end === 'exited' || end === 'ceiling' || end === 'never-started'
  const hadWork = facts.projectedUnclaimed + facts.dueUnprojected > 0
  if (run.firstClaimAtMs !== null || !isItsDoing || !hadWork) return null
  const error = describeRunEnd(end, exit)
  return { error, ...decideSpawnFailure(facts.session.spawnFailures, error, deps.config.spawn, nowMs) }
}

/** Failing to free a stopped container harms nobody: the sweep finds it among the leftovers by its label. */
async function release(deps: EffectDeps, run: Run): Promise<void> {
  if (run.handle === null) return
  await runtimeOf(deps, run.runtime)
    .remove(run.handle)
    .catch(() => {})
}
