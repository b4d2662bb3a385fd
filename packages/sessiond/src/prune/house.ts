import type { ArtifactClass, PrunePlan } from '../model/artifact.ts'
import type { CountedRows, RowPruning, Store } from '../store/store.ts'
import type { World } from '../world.ts'
import type { ArtifactFiles } from './artifact-files.ts'

/** Classes that are neither files with a rule nor rows. */
export const OTHER_CLASSES = ['closedSessions', 'trash'] as const

/** What a pruning looks at; null: all. */
export interface PruneScope {
  readonly classes: ReadonlySet<string> | null
  readonly group: string | null
}

export const WHOLE_HOUSE: PruneScope = { classes: null, group: null }

/** How long what stays, as the configuration has it. */
export interface HouseFigures {
  /** Rules of the files of these groups, and those of no group. */
  rules(groups: readonly string[]): readonly ArtifactClass[]
  rows(): Omit<RowPruning, 'nowMs'>
}

export interface ArchiveRound {
  readonly nowMs: number
  /** Null: of all groups. */
  readonly group: string | null
  /** Sessions archived, or tried, at most. */
  readonly limit: number
  /** Asked before each session. */
  readonly mayGoOn: () => Promise<boolean>
  /** Asked while one is packed and removed: what is begun is worth nothing unless it is finished, however long it takes. */
  readonly mayFinish: () => Promise<boolean>
}

/** Packs directories of sessions that are closed long enough into archives, and removes them then. */
export interface ClosedSessions {
  /** How many are due, counted up to `limit`. */
  count(query: Pick<ArchiveRound, 'nowMs' | 'group' | 'limit'>): Promise<number>
  /**
   * Each session whole or not at all; a crash at any point is gone on from by the next call. What cannot be archived is
   * put off and told once in the journal. Throws what the store throws, PRUNE_FAILED when there can be no process that
   * does the work, and REFERENCES_IMPLAUSIBLE when there is no folder of sessions although some have run.
   */
  archive(round: ArchiveRound): Promise<ArchivedSessions>
}

export interface ArchivedSessions {
  readonly archived: number
  /** What their directories took of the disk. */
  readonly bytes: number
  readonly failed: number
  readonly isMore: boolean
}

/** Everything a pruning of a data directory works with. */
export interface HouseDeps {
  readonly world: World
  readonly dataDir: string
  readonly store: Pick<
    Store,
    'readActiveReferences' | 'refreshActiveReferences' | 'countPrunableRows' | 'pruneRows' | 'giveBackSpace'
  >
  readonly files: ArtifactFiles
  readonly figures: HouseFigures
  readonly closed: ClosedSessions
  /** Files removed, and closed sessions packed away, between two looks at how it goes. */
  readonly batch: number
  readonly trashMs: number
  /** Groups whose sessions have folders, and those that are configured. */
  readonly listGroups: () => Promise<readonly string[]>
  /** Names in the trash of the data directory; none when there is no trash yet. */
  readonly listTrash: () => Promise<readonly string[]>
}

/** All that one pruning will do: it does this and nothing else. */
export interface HousePlan {
  readonly id: string
  readonly nowMs: number
  readonly scope: PruneScope
  readonly files: PrunePlan
  /** What was put aside and has lain long enough. */
  readonly trash: PrunePlan
  /** Null: rows are not asked for. */
  readonly rows: RowPruning | null
  /** Counted up to a limit, and for a while. */
  readonly rowsFound: CountedRows
  /** Null: closed sessions are not asked for. */
  readonly closedSessions: number | null
}

/** Whether a scope takes a class in. */
export function hasClass({ classes }: PruneScope, name: string): boolean {
  return classes === null || classes.has(name)
}
