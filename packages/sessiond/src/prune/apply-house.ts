import { join } from 'node:path'
import type { PrunePlan } from '../model/artifact.ts'
import {
  NO_ROWS,
  type PrunedRows,
  type ReferencesRead,
  ROW_CLASSES,
  type RowCursor,
  type RowPruning,
} from '../store/store.ts'
import type { AppliedRemovals, ApplyRequest } from './artifact-files.ts'
import type { HouseDeps, HousePlan } from './house.ts'
import { sumOf } from './summarise-plan.ts'
import { trashFolder, trashOf } from './trash.ts'

/** The parts of a pruning, in their order; where one stopped, the next may begin. */
export const STAGES = ['closedSessions', 'files', 'rows', 'trash'] as const
export type Stage = (typeof STAGES)[number]

/** What one pruning has come to so far. */
export interface HouseProgress {
  /** Null: done. */
  readonly stage: Stage | null
  readonly classes: AppliedRemovals['classes']
  /** Removals of the plan looked at, and all of them. */
  readonly looked: number
  readonly planned: number
  readonly rows: PrunedRows
  readonly closedSessions: { readonly archived: number; readonly bytes: number; readonly failed: number }
  /** What had been put aside before, and is gone now. */
  readonly trash: { readonly entries: number; readonly bytes: number }
}

/** Pieces of room still given back by a pruning that was stopped among the rows: some seconds' worth. */
const PIECES_AT_A_STOP = 64

export interface HouseOutcome extends HouseProgress {
  /** Where it was told to stop; null: it came to its end, except for what failed. */
  readonly stoppedAt: Stage | null
  /** With which the next had better begin, so that a stage that never ends does not starve those behind it. */
  readonly goOnWith: Stage | null
  /** Where the next had better begin with the rows; null: at their beginning. */
  readonly rowsFrom: RowCursor | null
  /** A plan did not hold everything. */
  readonly isMore: boolean
  /** The first thing that went wrong; the other stages were carried out all the same. */
  readonly error: unknown
  /** Where it put things aside, below the data directory; null: what went is gone. */
  readonly trashFolder: string | null
}

export interface ApplyHouse {
  /** Which stage comes first; the others follow in a ring, so that none is starved by one before it. */
  readonly startWith: Stage
  /** Where an earlier one stopped; null: nowhere. */
  readonly rowsFrom: RowCursor | null
  readonly putsAside: boolean
  readonly mayGoOn: () => Promise<boolean>
  /** The same for what is worth nothing unless it is finished: the time it takes is no reason to end it. */
  readonly mayFinish: () => Promise<boolean>
  /** Called between two batches that cost the event loop time: lets others have as much. */
  readonly giveWay: (tookMs: number) => Promise<void>
  readonly onProgress: (progress: HouseProgress) => void
}

/**
 * Carries a plan out, and nothing else; each entry and row is checked again before it goes. A stage that fails does not
 * keep the others from their work: a store that cannot be written is no reason to leave the disk full.
 */
export async function applyHouse(deps: HouseDeps, plan: HousePlan, request: ApplyHouse): Promise<HouseOutcome> {
  const work = new HouseWork(deps, plan, request)
  const first = STAGES.indexOf(request.startWith)
  let stoppedAt: Stage | null = null
  let goOnWith: Stage | null = null
  const errors: unknown[] = []
  for (const stage of [...STAGES.slice(first), ...STAGES.slice(0, first)]) {
    if (!(await request.mayGoOn())) {
      stoppedAt = stage
      goOnWith = stage
      break
    }
    try {
      if (!(await work.run(stage))) {
        stoppedAt = stage
        goOnWith = STAGES[(STAGES.indexOf(stage) + 1) % STAGES.length] ?? stage
        break
      }
    } catch (error) {
      errors.push(error)
    }
  }
  return {
    ...work.progress(null),
    stoppedAt,
    goOnWith,
    rowsFrom: work.rowsFrom,
    isMore: plan.files.isPartial || plan.trash.isPartial,
    error: errors[0] ?? null,
    trashFolder: work.trashFolder,
  }
}

class HouseWork {
  trashFolder: string | null = null
  rowsFrom: RowCursor | null
  readonly #deps: HouseDeps
  readonly #plan: HousePlan
  readonly #request: ApplyHouse
  #classes: AppliedRemovals['classes'] = []
  #looked = 0
  #rows: Record<(typeof ROW_CLASSES)[number], number> = { ...NO_ROWS }
  #closed = { archived: 0, bytes: 0, failed: 0 }
  #trash = { entries: 0, bytes: 0 }

  constructor(deps: HouseDeps, plan: HousePlan, request: ApplyHouse) {
    this.#deps = deps
    this.#plan = plan
    this.#request = request
    this.rowsFrom = request.rowsFrom
  }

  progress(stage: Stage | null): HouseProgress {
    return {
      stage,
      classes: this.#classes,
      looked: this.#looked,
      planned: this.#plan.files.removals.length,
      rows: { ...this.#rows },
      closedSessions: this.#closed,
      trash: this.#trash,
    }
  }

  /** False: it was told to stop before the stage's end. */
  run(stage: Stage): Promise<boolean> {
    this.#tell(stage)
    switch (stage) {
      case 'closedSessions':
        return this.#archive()
      case 'files':
        return this.#removeFiles()
      case 'rows':
        return this.#plan.rows === null ? Promise.resolve(true) : this.#removeRows(this.#plan.rows)
      case 'trash':
        return this.#emptyTrash()
    }
  }

  #tell(stage: Stage): void {
    this.#request.onProgress(this.progress(stage))
  }

  async #archive(): Promise<boolean> {
    const { closedSessions, nowMs, scope } = this.#plan
    if (closedSessions === null) return true
    const { closed, batch } = this.#deps
    const { mayGoOn, mayFinish } = this.#request
    for (;;) {
      const done = await closed.archive({ nowMs, group: scope.group, limit: batch, mayGoOn, mayFinish })
      const { archived, bytes, failed } = this.#closed
      this.#closed = { archived: archived + done.archived, bytes: bytes + done.bytes, failed: failed + done.failed }
      this.#tell('closedSessions')
      if (!done.isMore) return true
      if (!(await mayGoOn())) return false
      // What failed is put off, and others have their turn. Where nothing was tried (there is no room) nothing will be.
      if (done.archived + done.failed === 0) return true
    }
  }

  async #removeFiles(): Promise<boolean> {
    const { files: plan, id } = this.#plan
    if (plan.removals.length === 0) return true
    const trashDir = this.#request.putsAside ? this.#trashDir(id) : null
    const applied = await this.#apply(plan, { trashDir }, (sofar) => {
      this.#classes = sofar.classes
      this.#looked = sofar.next
      this.#tell('files')
    })
    return applied.next >= plan.removals.length
  }

  async #emptyTrash(): Promise<boolean> {
    const { trash: plan } = this.#plan
    if (plan.removals.length === 0) return true
    const applied = await this.#apply(plan, { trashDir: null, checks: 'same' }, (sofar) => {
      this.#trash = sumOf(sofar.classes.map(({ removed }) => removed))
      this.#tell('trash')
    })
    return applied.next >= plan.removals.length
  }

  async #apply(
    plan: PrunePlan,
    how: Pick<ApplyRequest, 'trashDir' | 'checks'>,
    onProgress: (applied: AppliedRemovals) => void,
  ): Promise<AppliedRemovals> {
    const { files, store, batch } = this.#deps
    const { mayGoOn } = this.#request
    const readActive = followReferences(store)
    const applied = await files.apply({ plan, batch, readActive, ...how, mayGoOn, onProgress })
    onProgress(applied)
    return applied
  }

  #trashDir(id: string): string {
    const { dataDir, world } = this.#deps
    const name = trashFolder(world.now(), id)
    this.trashFolder = `trash/${name}`
    return join(trashOf(dataDir), name)
  }

  async #removeRows(pass: RowPruning): Promise<boolean> {
    const { store } = this.#deps
    do {
      const from = this.rowsFrom
      const step = await this.#timed(() => store.pruneRows(pass, from))
      for (const name of ROW_CLASSES) this.#rows[name] += step.removed[name]
      this.rowsFrom = step.cursor
      this.#tell('rows')
      if (this.rowsFrom !== null && !(await this.#request.mayGoOn())) {
        // A history that takes many prunings gives its room back in each of them.
        await this.#giveBackSpace(PIECES_AT_A_STOP)
        return false
      }
    } while (this.rowsFrom !== null)
    return this.#giveBackSpace(Number.POSITIVE_INFINITY)
  }

  async #giveBackSpace(maxPieces: number): Promise<boolean> {
    for (let pieces = 0; pieces < maxPieces; pieces += 1) {
      if (!(await this.#timed(() => this.#deps.store.giveBackSpace()))) return true
      if (maxPieces === Number.POSITIVE_INFINITY && !(await this.#request.mayGoOn())) return false
    }
    return false
  }

  async #timed<Result>(work: () => Promise<Result>): Promise<Result> {
    const { world } = this.#deps
    const fromMs = world.monotonicMs()
    const result = await work()
    await this.#request.giveWay(world.monotonicMs() - fromMs)
    return result
  }
}

/** All that is active first; then, before each further batch, what has changed as far as it concerns that. */
function followReferences(store: HouseDeps['store']): ApplyRequest['readActive'] {
  let read: ReferencesRead | null = null
  return async (batch) => {
    const sessions = new Set(batch.flatMap(({ group, session }) => (session === null ? [] : [`${group}/${session}`])))
    read = read === null ? await store.readActiveReferences() : await store.refreshActiveReferences(read, [...sessions])
    return read.active
  }
}
