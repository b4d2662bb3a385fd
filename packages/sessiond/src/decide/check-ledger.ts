import type { LedgerSums } from '../model/series.ts'
import { compileSchedule } from './recurrence/compile-schedule.ts'
import { dueRange } from './recurrence/due-range.ts'

/** What became of all due instants of a series, and whether that is all there were. */
export interface LedgerCheck {
  /** Due instants of the schedules the series has had. */
  readonly due: number
  /** What the ledger tells of: the sum of the five. */
  readonly told: number
  readonly live: number
  readonly ran: number
  readonly merged: number
  readonly skipped: number
  readonly expired: number
  /** Occurrences beside the schedule, of whatever end. */
  readonly runNow: number
  readonly balances: boolean
}

/**
 * Proves that every due instant has one end. Yields now and then, so that years of a minute's schedule, counted anew, keep
 * nobody waiting; the last value is the answer.
 */
export function* checkLedger({ sums, due }: LedgerSums): Generator<undefined, LedgerCheck> {
  let expected = 0
  for (const { schedule, zone, fromMs, toMs } of due) {
    const compiled = compileSchedule(schedule, zone)
    if ('problem' in compiled) continue
    for (let atMs = fromMs; ; ) {
      const range = dueRange(compiled, atMs, toMs)
      expected += range?.count ?? 0
      if (range === null || range.isWhole) break
      atMs = range.lastMs
      yield
    }
  }
  const count = (outcome: string) =>
    sums.filter((sum) => sum.origin === 'schedule' && sum.outcome === outcome).reduce((all, sum) => all + sum.count, 0)
  const [live, ran, merged, skipped, expired] = [
    count('live'),
    count('ran'),
    count('merged'),
    count('skipped'),
    count('expired'),
  ]
  const told = live + ran + merged + skipped + expired
  const runNow = sums.filter(({ origin }) => origin === 'run-now').reduce((all, sum) => all + sum.count, 0)
  return { due: expected, told, live, ran, merged, skipped, expired, runNow, balances: expected === told }
}

/** The check in one go, for what is known to be short. */
export function checkLedgerNow(sums: LedgerSums): LedgerCheck {
  const steps = checkLedger(sums)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
