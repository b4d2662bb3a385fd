import type { MissedPolicy } from '../../model/series.ts'
import { Zone } from './zone.ts'

const DAY_MS = 86_400_000

/** Whether a due instant that was missed is worth running still, by how long ago it was and by its own local day. */
export function isUseful(
  dueAtMs: number,
  { withinMs, until }: Pick<MissedPolicy, 'withinMs' | 'until'>,
  zoneName: string,
  nowMs: number,
): boolean {
  if (withinMs !== null && nowMs - dueAtMs > withinMs) return false
  return until === null || nowMs < untilMs(dueAtMs, until, zoneName)
}

/** The first such local time after the due one. */
function untilMs(dueAtMs: number, until: string, zoneName: string): number {
  const zone = Zone.find(zoneName)
  if (zone === null) return Number.POSITIVE_INFINITY
  const [hours = 0, minutes = 0] = until.split(':').map(Number)
  const wallMs = zone.wallMs(dueAtMs)
  const sameDayMs = Math.floor(wallMs / DAY_MS) * DAY_MS + (hours * 60 + minutes) * 60_000
  const { instants, afterGapMs } = zone.resolve(sameDayMs > wallMs ? sameDayMs : sameDayMs + DAY_MS)
  return instants.at(-1) ?? afterGapMs ?? Number.POSITIVE_INFINITY
}
