import type { MessageKind } from '@sessiond/protocol'
import type { Address } from './message.ts'

/**
 * When a series is due. `cron` names local times of its zone: five fields, or six with `seconds`. `every` is a grid of
 * instants `anchorMs + n * everyMs`, whatever the zone and however long the work takes. `once` is one instant.
 */
export type Schedule =
  | { readonly kind: 'once'; readonly atMs: number }
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchorMs: number }
  | {
      readonly kind: 'cron'
      readonly expression: string
      readonly seconds: boolean
      /** A local time that a change of the clocks leaves out: run at the first instant after the gap, or not at all. */
      readonly gap: 'after' | 'skip'
      /** A local time that comes twice: run the first time only, the second time only, or both times. */
      readonly repeated: 'first' | 'second' | 'both'
    }

/** One due instant, with what a change of the clocks made of it. */
export interface Firing {
  readonly atMs: number
  /** `gap`: its local time does not exist that day. `repeated`: its local time comes twice that day. */
  readonly dst: 'gap' | 'repeated' | null
}

/** What becomes of a due instant that comes while an occurrence of the series is still live. */
export const OVERLAPS = ['skip', 'queue', 'replace', 'allow'] as const
export type Overlap = (typeof OVERLAPS)[number]

/**
 * What becomes of due instants that nobody was there for. `newest`: the last of them runs, unless it is no longer
 * useful. `each`: they run one after the other, the newest `max` of them. `none`: none runs.
 */
export interface MissedPolicy {
  readonly run: 'newest' | 'each' | 'none'
  /** How many `each` runs at most. */
  readonly max: number
  /** A missed instant is useful for so long; null: for ever. */
  readonly withinMs: number | null
  /** And only until this local time of its day, `HH:MM`; null: the whole day and after. */
  readonly until: string | null
}

/** `keep-wall-clock`: 9:00 stays 9:00 where the user is. `keep-instant`: it stays what it was in the zone it was made in. */
export const ZONE_CHANGES = ['keep-wall-clock', 'keep-instant'] as const
export type ZoneChange = (typeof ZONE_CHANGES)[number]

/** What the person or agent who made the series decided; `update` changes any of it. */
export interface SeriesPlan {
  readonly schedule: Schedule
  /** IANA zone of its own; null: the session's, else the group's, else the host's. */
  readonly timeZone: string | null
  readonly onZoneChange: ZoneChange
  readonly overlap: Overlap
  readonly missed: MissedPolicy
  /** Each firing is delayed by a fixed part of this, drawn from the series' id, so that not all start at 9:00:00. */
  readonly staggerMs: number
  /** No due instant after it counts. */
  readonly endAtMs: number | null
  /** It ends after so many firings. */
  readonly maxRuns: number | null
  /** From so many failures in a row on it backs off, twice as long after each; null: never. */
  readonly backOffAfterFailures: number | null
  /** After so many failures in a row it is paused, and its user is told; null: never. */
  readonly pauseAfterFailures: number | null
}

/** `paused`: by a person, or by failures in a row. `parked`: its schedule cannot be evaluated. `ended`: nothing is due ever again. */
export const SERIES_STATES = ['active', 'paused', 'parked', 'ended'] as const
export type SeriesState = (typeof SERIES_STATES)[number]

/** A series as it is made. */
export interface NewSeries {
  readonly id: string
  readonly sessionId: string
  readonly group: string
  readonly plan: SeriesPlan
  /** What each occurrence says. */
  readonly kind: MessageKind
  readonly content: string
  readonly address: Address
  /** The session whose agent made it; null: a person. */
  readonly sourceSessionId: string | null
}

/** A recurring task. */
export interface Series extends NewSeries {
  readonly state: SeriesState
  /** Why it is not active, in words; null: it is. */
  readonly because: string | null
  readonly createdAtMs: number
  /** Its session's when it was made: `keep-instant` goes on by it. */
  readonly homeZone: string
  /** The zone its next instant was reckoned in. */
  readonly zone: string
  /** When it is looked at next: its next due instant; null: never, or only when its live occurrence has ended. */
  readonly nextAtMs: number | null
  /** Up to here every due instant has its line in the ledger. */
  readonly accountedToMs: number
  /** Due instants up to here came while an occurrence was live. */
  readonly liveUntilMs: number
  /** Missed instants up to here run one after the other. */
  readonly catchUpToMs: number
  /** No due instant up to here fires, because of `heldFor`. */
  readonly heldUntilMs: number
  readonly heldFor: 'paused' | 'backing-off' | null
  readonly failuresInARow: number
  /** How often it has fired by its schedule. */
  readonly firings: number
  /** The message of its live occurrence, the newest of several; null: none is live. */
  readonly liveMessageId: string | null
}

/** What becomes of due instants. `live` ends as one of the others. */
export const OUTCOMES = ['live', 'ran', 'merged', 'skipped', 'expired'] as const
export type OccurrenceOutcome = (typeof OUTCOMES)[number]

/** A line of the ledger: one due instant, or several in a row that ended alike for the same reason. */
export interface LedgerLine {
  readonly seriesId: string
  readonly ordinal: number
  /** `run-now`: asked for by somebody, no due instant of the schedule. */
  readonly origin: 'schedule' | 'run-now'
  readonly firstDueAtMs: number
  readonly lastDueAtMs: number
  readonly count: number
  readonly outcome: OccurrenceOutcome
  /** In a word: `completed`, `failed`, `overlap`, `missed`, `too-late`, `paused`, `backing-off`, `cancelled`, … */
  readonly because: string
  /** The message that carried it; null: none. */
  readonly messageId: string | null
  readonly endedAtMs: number | null
}

/** What the ledger of a series comes to, and what the schedules it has had make of the same time. */
export interface LedgerSums {
  readonly sums: readonly Pick<LedgerLine, 'outcome' | 'origin' | 'count'>[]
  /** Due instants lie in (fromMs, toMs] of each. */
  readonly due: readonly {
    readonly schedule: Schedule
    readonly zone: string
    readonly fromMs: number
    readonly toMs: number
  }[]
}
