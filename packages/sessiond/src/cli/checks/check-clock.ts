import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../../runtime/runtime.ts'
import { formatInstant, formatSpan } from '../format/time.ts'

/** When this was written: a clock before it is wrong. */
const OLDEST_SANE_MS = Date.UTC(2025, 0, 1)
const NEWEST_SANE_MS = Date.UTC(2100, 0, 1)
const SLACK_MS = 60_000

/** Whether the wall clock can be right: due times and retries are instants of it. */
export async function checkClock(dataDir: string, nowMs: number): Promise<Check> {
  const name = 'clock'
  const cure = 'Set the clock (NTP); messages with a time come due by it.'
  if (nowMs < OLDEST_SANE_MS || nowMs > NEWEST_SANE_MS) {
    return { name, ok: false, detail: `it says ${formatInstant(nowMs)}`, cure }
  }
  const writtenMs = await stat(join(dataDir, 'store.db')).then(
    (stats) => stats.mtimeMs,
    () => nowMs,
  )
  const aheadMs = writtenMs - nowMs
  if (aheadMs <= SLACK_MS) return { name, ok: true, detail: formatInstant(nowMs) }
  return { name, ok: false, detail: `the store was written ${formatSpan(aheadMs)} in the future`, cure }
}
