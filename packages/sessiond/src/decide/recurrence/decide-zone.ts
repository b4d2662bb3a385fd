import type { SeriesPlan } from '../../model/series.ts'

/** The zone a series goes by: its own, else where its session is, or was when the series was made. */
export function decideZone(
  { timeZone, onZoneChange }: Pick<SeriesPlan, 'timeZone' | 'onZoneChange'>,
  sessionZone: string,
  homeZone: string,
): string {
  return timeZone ?? (onZoneChange === 'keep-instant' ? homeZone : sessionZone)
}
