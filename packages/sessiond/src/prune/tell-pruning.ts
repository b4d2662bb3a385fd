import type { CleaningCause } from '../decide/decide-cleaning.ts'
import { wordsOf } from '../effects/deps.ts'
import { SessiondError } from '../model/errors.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { HouseOutcome, HouseProgress } from './apply-house.ts'
import type { HousePlan } from './house.ts'
import { type RemovalSum, summariseInPieces, sumOf } from './summarise-plan.ts'

/** What a journal line holds at most. */
const MAX_CLASSES = 60
const MAX_REASONS = 4

export interface FinishedPruning {
  readonly cause: CleaningCause | 'asked'
  readonly plan: HousePlan
  readonly outcome: HouseOutcome
  readonly tookMs: number
  /** Of it, spent waiting for the disk. */
  readonly waitedMs: number
  /** Cleanings that failed in a row before it. */
  readonly failuresBefore: number
  readonly usedShare: number | null
}

/** The line that says what a pruning removed and why, class by class, with the numbers it was decided on. */
export async function finishedLine(finished: FinishedPruning, nowMs: number): Promise<JournalEntry> {
  const { plan, outcome, cause, tookMs, waitedMs, failuresBefore, usedShare } = finished
  const { entries, bytes } = removedBy(outcome)
  return line('prune:finished', nowMs, {
    plan: plan.id,
    cause,
    tookMs: Math.round(tookMs),
    waitedMs: Math.round(waitedMs),
    entries,
    bytes,
    classes: await classesOf(plan, outcome),
    rows: outcome.rows,
    closedSessions: outcome.closedSessions,
    trash: outcome.trash,
    trashFolder: outcome.trashFolder,
    stoppedAt: outcome.stoppedAt,
    isMore: outcome.isMore,
    failuresBefore,
    usedShare,
  })
}

/** The line that says, once per outage, that cleaning does not work. */
export function failedLine(error: unknown, cause: CleaningCause | 'asked', nowMs: number): JournalEntry {
  const code = error instanceof SessiondError ? error.code : 'INTERNAL'
  return line('prune:failed', nowMs, { cause, code, error: wordsOf(error) })
}

/** Files that went, and room that came free: what was put aside is still there. */
export function removedBy({ classes, trash, closedSessions, trashFolder }: HouseOutcome): RemovalSum {
  const files = sumOf(classes.map(({ removed }) => removed))
  const freed = trashFolder === null ? files.bytes : 0
  return { entries: files.entries, bytes: freed + trash.bytes + closedSessions.bytes }
}

/** Whether a pruning changed anything at all. */
export function didAnything({ classes, rows, closedSessions, trash }: HouseProgress): boolean {
  const files = sumOf(classes.map(({ removed }) => removed))
  return files.entries + trash.entries + closedSessions.archived + Object.values(rows).reduce((a, b) => a + b, 0) > 0
}

async function classesOf(plan: HousePlan, outcome: HouseOutcome): Promise<readonly unknown[]> {
  const summary = await summariseInPieces(plan.files, 0)
  const planned = new Map(summary.classes.map((each) => [each.name, each]))
  return outcome.classes
    .filter(({ removed, stays }) => removed.entries > 0 || Object.values(stays).some((count) => count > 0))
    .slice(0, MAX_CLASSES)
    .map(({ name, removed, stays }) => {
      const reasons = (planned.get(name)?.reasons ?? []).slice(0, MAX_REASONS)
      return { name, ...removed, stays, reasons }
    })
}

function line(type: 'prune:finished' | 'prune:failed', atMs: number, detail: JournalEntry['detail']): JournalEntry {
  return { type, atMs, sessionId: null, epoch: null, messageId: null, detail }
}
