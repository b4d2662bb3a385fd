/** A local time of some zone, written as if it were UTC: what a clock on the wall shows, as a number. */
export type WallMs = number

const DAY_MS = 86_400_000
/** No zone has ever been further from UTC. */
const MAX_OFFSET_MS = 26 * 3_600_000

/** What a local time comes to: the instants it names, none in a gap, two where clocks go back over it. */
export interface WallTime {
  /** Ascending. */
  readonly instants: readonly number[]
  /** The first instant after the gap it lies in; null: it lies in none. */
  readonly afterGapMs: number | null
}

/** One time zone: its offset at every instant, from the rules of the runtime's zone database. */
export class Zone {
  readonly #format: Intl.DateTimeFormat
  /** For each UTC year looked at: from when on which offset holds. */
  readonly #years = new Map<number, readonly Span[]>()

  private constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** Null: there is no zone of that name. Zones are few and kept: a formatter for each of many series would be dear. */
  static find(name: string): Zone | null {
    const known = zones.get(name)
    if (known !== undefined) return known
    // An offset (`+01:00`) is taken by Intl, and is no place whose clocks could change.
    if (!/^[A-Za-z]/.test(name) || name.length > 64) return null
    try {
      const zone = new Zone(name)
      if (zones.size >= MAX_ZONES) zones.clear()
      zones.set(name, zone)
      return zone
    } catch {
      return null
    }
  }

  /** Local time minus UTC. */
  offsetMs(atMs: number): number {
    const spans = this.#spansOf(new Date(atMs).getUTCFullYear())
    let offsetMs = 0
    for (const span of spans) {
      if (span.fromMs > atMs) break
      offsetMs = span.offsetMs
    }
    return offsetMs
  }

  /** The offsets that hold at some instant of [fromMs, toMs], a few days at most. */
  offsetsWithin(fromMs: number, toMs: number): number[] {
    return [...new Set(this.#spansWithin(fromMs, toMs).map(({ offsetMs }) => offsetMs))]
  }

  wallMs(atMs: number): WallMs {
    return atMs + this.offsetMs(atMs)
  }

  resolve(wallMs: WallMs): WallTime {
    const offsets = this.offsetsWithin(wallMs - MAX_OFFSET_MS, wallMs + MAX_OFFSET_MS)
    const instants = offsets
      .map((offsetMs) => wallMs - offsetMs)
      .filter((atMs) => this.wallMs(atMs) === wallMs)
      .sort((a, b) => a - b)
    return { instants, afterGapMs: instants.length > 0 ? null : this.#afterGapMs(wallMs) }
  }

  /** Clocks jump from before the local time to after it, or right onto it. */
  #afterGapMs(wallMs: WallMs): number {
    const spans = this.#spansWithin(wallMs - MAX_OFFSET_MS, wallMs + MAX_OFFSET_MS)
    const after = spans.find(({ fromMs, offsetMs }) => fromMs + offsetMs > wallMs)
    return after?.fromMs ?? wallMs
  }

  #spansWithin(fromMs: number, toMs: number): Span[] {
    const spans: Span[] = []
    const lastYear = new Date(toMs).getUTCFullYear()
    for (let year = new Date(fromMs).getUTCFullYear(); year <= lastYear; year += 1) {
      for (const span of this.#spansOf(year)) {
        if (span.fromMs > toMs) break
        if (span.toMs > fromMs) spans.push(span)
      }
    }
    return spans
  }

  #spansOf(year: number): readonly Span[] {
    const known = this.#years.get(year)
    if (known !== undefined) return known
    const spans = this.#findSpans(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1))
    this.#years.set(year, spans)
    return spans
  }

  /** Asks for each day: no zone has changed its clocks twice within one. */
  #findSpans(startMs: number, endMs: number): Span[] {
    const spans: Span[] = []
    let fromMs = startMs
    let offsetMs = this.#ask(startMs)
    for (let atMs = startMs; atMs < endMs; atMs += DAY_MS) {
      const nextMs = Math.min(atMs + DAY_MS, endMs)
      const nextOffsetMs = this.#ask(nextMs)
      if (nextOffsetMs === offsetMs) continue
      const changeMs = this.#findChange(atMs, nextMs, offsetMs)
      spans.push({ fromMs, toMs: changeMs, offsetMs })
      fromMs = changeMs
      offsetMs = nextOffsetMs
    }
    if (fromMs < endMs) spans.push({ fromMs, toMs: endMs, offsetMs })
    return spans
  }

  /** To the second: the first instant in (fromMs, toMs] at which another offset holds. */
  #findChange(fromMs: number, toMs: number, offsetMs: number): number {
    let [same, other] = [fromMs / 1_000, toMs / 1_000]
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2)
      if (this.#ask(middle * 1_000) === offsetMs) same = middle
      else other = middle
    }
    return other * 1_000
  }

  #ask(atMs: number): number {
    const fields = new Map(this.#format.formatToParts(atMs).map(({ type, value }) => [type, value]))
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(fields.get(type))
    const year = fields.get('era')?.startsWith('B') ? 1 - number('year') : number('year')
    const local = Date.UTC(year, number('month') - 1, number('day'), number('hour'), number('minute'), number('second'))
    return local - Math.floor(atMs / 1_000) * 1_000
  }
}

/** An offset holds in [fromMs, toMs). */
interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly offsetMs: number
}

const zones = new Map<string, Zone>()

/** There are some 600, aliases included. */
const MAX_ZONES = 1_000
