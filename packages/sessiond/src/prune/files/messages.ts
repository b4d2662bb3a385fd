import type { Pressure } from '../../decide/decide-under-pressure.ts'
import type { ActiveReferences, ArtifactClass, PlannedRemoval, StayReason } from '../../model/artifact.ts'
import type { Checks } from '../artifact-files.ts'

/** How much of a plan there is in memory at most, whatever the trees hold; entries with long paths count as several. */
export interface PlanLimits {
  /** Entries kept for the decision, in the child. */
  readonly entries: number
  /** Removals of a plan, in the host. */
  readonly removals: number
  /** Looks that each session has: 1 for a file, 20 for a folder. What is beyond is counted as unreadable. */
  readonly looks: number
}

/** The two ends of the channel are one program. */
export type PruneRequest =
  | {
      readonly kind: 'plan'
      readonly rules: readonly ArtifactClass[]
      readonly active: ActiveReferences
      readonly nowMs: number
      readonly pressure: Pressure | null
      readonly limits: PlanLimits
    }
  | {
      readonly kind: 'apply'
      /** All of one batch. */
      readonly items: readonly RemovalItem[]
      /** Where what goes is moved to; null: it is removed. */
      readonly trash: string | null
      readonly checks: Checks
    }
  /** Ends what is under way: a plan with what it has seen, a batch wherever it is. */
  | { readonly kind: 'stop' }
  /** What is under way rests until it is to go on, or to stop. */
  | { readonly kind: 'pause' | 'resume' }

/** One removal, with what is checked before it. */
export interface RemovalItem extends Pick<PlannedRemoval, 'path' | 'isFolder' | 'identity'> {
  readonly root: string
  /** Folder below the trash. */
  readonly trashName: string
}

export type PruneAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'removals'; readonly chunk: RemovalChunk }
  | {
      readonly kind: 'planned'
      /** By rule. */
      readonly tallies: readonly {
        readonly entries: number
        readonly bytes: number
        readonly stays: Readonly<Partial<Record<StayReason, number>>>
      }[]
      readonly isPartial: boolean
    }
  | { readonly kind: 'implausible' }
  /** Null: it was stopped before or within. */
  | { readonly kind: 'applied'; readonly outcomes: readonly (RemovalOutcome | null)[] }

export type RemovalOutcome = 'removed' | StayReason

/** Removals column by column: as objects they would take several times the memory and time on the way. */
export interface RemovalChunk {
  readonly rules: Uint32Array
  /** Of all, with a separator between. */
  readonly paths: string
  readonly isFolder: Uint8Array
  readonly bytes: Float64Array
  readonly files: Float64Array
  /** Who they belong to. */
  readonly owners: readonly ChunkOwner[]
  readonly ownerOf: Uint32Array
  /** Of all, with a separator between, as `paths`. */
  readonly ids: string
  readonly idCounts: Uint8Array
  readonly bounds: Uint8Array
  /** The number the bound was decided on: age, rank, bytes before. */
  readonly figures: Float64Array
  /** Of the unfinished removals of an earlier plan, which are due at any age. */
  readonly isLeftover: Uint8Array
  readonly devs: Float64Array
  readonly inos: Float64Array
  /** Of those that no such number holds, by index. */
  readonly largeDevs: ReadonlyMap<number, bigint>
  readonly largeInos: ReadonlyMap<number, bigint>
  readonly mtimesMs: Float64Array
  readonly sizes: Float64Array
  readonly looks: Float64Array
}

export type ChunkOwner = Pick<PlannedRemoval, 'group' | 'session' | 'epoch'>
