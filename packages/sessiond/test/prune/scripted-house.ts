import { FakeWorld } from '@sessiond/testkit'
import type { ActiveReferences, PlannedRemoval, PrunePlan } from '../../src/model/artifact.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import { type CleaningPolicy, KEEPS_ROWS } from '../../src/model/retention.ts'
import type { AppliedRemovals, ApplyRequest, ArtifactFiles, PlanRequest } from '../../src/prune/artifact-files.ts'
import { Cleaner } from '../../src/prune/cleaner.ts'
import type { LastCleaning } from '../../src/prune/cleaning-memory.ts'
import type { DiskUsage } from '../../src/prune/disk-usage.ts'
import type { ArchivedSessions, ArchiveRound, HouseDeps } from '../../src/prune/house.ts'
import { NO_ROWS, type ReferencesRead, type RowCursor, type RowPruning } from '../../src/store/store.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const POLICY: CleaningPolicy = {
  everyMs: DAY_MS,
  budgetMs: 5 * MINUTE_MS,
  batch: 10,
  highWaterShare: 0.9,
  trashMs: 7 * DAY_MS,
  usesTrash: false,
}

/** Somebody is at home. */
export const ACTIVE: ActiveReferences = {
  ids: new Set(),
  openSessions: new Set(),
  closedSessions: new Set(),
  workingSessions: new Set(),
  liveRuns: new Set(),
  hasSessions: true,
}

/** A due file of 1 KiB. */
export function due(path: string, more: Partial<PlannedRemoval> = {}): PlannedRemoval {
  return {
    className: 'debugLogs',
    rule: 0,
    path,
    isFolder: false,
    bytes: 1024,
    files: 1,
    group: 'ops',
    session: 'main',
    epoch: null,
    ids: [],
    reason: { bound: 'age', ageMs: 9 * DAY_MS, maxAgeMs: 3 * DAY_MS },
    identity: { dev: '1', ino: '2', mtimeMs: 0, bytes: 1024, looks: 1 },
    ...more,
  }
}

/** Files that are there as a test says, and go batch by batch, each of which takes its time. */
export class ScriptedFiles implements ArtifactFiles {
  due: PlannedRemoval[] = []
  /** What pressure adds to what is due. */
  spare: PlannedRemoval[] = []
  batchMs = 0
  readonly plans: PlanRequest[] = []
  readonly applies: { readonly trashDir: string | null }[] = []
  /** When each batch began, by the monotonic clock. */
  readonly batches: number[] = []
  planError: unknown = null
  /** What planning does with its time, and with its question; its answer: whether the plan is whole. */
  onPlan: (request: PlanRequest) => Promise<boolean> = async () => true
  isClosed = false
  readonly #world: FakeWorld

  constructor(world: FakeWorld) {
    this.#world = world
  }

  async plan(request: PlanRequest): Promise<PrunePlan> {
    this.plans.push(request)
    if (this.planError !== null) throw this.planError
    const isPartial = !(await this.onPlan(request))
    const removals = (request.pressure?.wantedBytes ?? 0) === 0 ? [...this.due] : [...this.due, ...this.spare]
    const removed = { entries: removals.length, bytes: removals.reduce((sum, { bytes }) => sum + bytes, 0) }
    const classes = [{ name: 'debugLogs', seen: removed, removed, stays: {} }]
    return { plannedAtMs: request.nowMs, rules: request.rules, removals, classes, isPartial }
  }

  async apply({ plan, batch, readActive, trashDir, mayGoOn, onProgress }: ApplyRequest): Promise<AppliedRemovals> {
    this.applies.push({ trashDir })
    let next = 0
    const gone = { entries: 0, bytes: 0 }
    const applied = () => ({ next, classes: [{ name: 'debugLogs', removed: { ...gone }, stays: {} }] })
    while (next < plan.removals.length && (await mayGoOn())) {
      await readActive(plan.removals.slice(next, next + batch))
      this.batches.push(this.#world.monotonicMs())
      if (this.batchMs > 0) await new Promise<void>((resolve) => this.#world.setTimer(this.batchMs, resolve))
      for (const removal of plan.removals.slice(next, next + batch)) {
        gone.entries += 1
        gone.bytes += removal.bytes
        this.due = this.due.filter((each) => each !== removal)
        this.spare = this.spare.filter((each) => each !== removal)
      }
      next = Math.min(plan.removals.length, next + batch)
      onProgress(applied())
    }
    return applied()
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

/** A cleaner in a world whose clocks a test moves, over a store, files and a disk that do as they are told. */
export class ScriptedHouse {
  readonly world = new FakeWorld()
  readonly files = new ScriptedFiles(this.world)
  readonly journal: JournalEntry[] = []
  readonly errors: unknown[] = []
  memory: LastCleaning | null = null
  usage: DiskUsage | null = { usedBytes: 500, totalBytes: 1000 }
  floorBytes = 20
  isBusy = false
  /** Batches of rows there are. */
  rowBatches = 0
  rowMs = 0
  space = 0
  readonly passes: RowPruning[] = []
  /** Where each step of a pruning of rows began. */
  readonly cursors: (RowCursor | null)[] = []
  counts = 0
  readError: unknown = null
  rowError: unknown = null
  journalError: unknown = null
  closed: ArchivedSessions[] = []
  /** What archiving does with its time, and with its questions. */
  onArchive: (round: ArchiveRound) => Promise<void> = async () => {}
  lockHolder: Promise<void> | null = null
  readonly policy: CleaningPolicy
  cleaner: Cleaner

  constructor(policy: Partial<CleaningPolicy> = {}) {
    this.policy = { ...POLICY, ...policy }
    this.cleaner = this.makeCleaner()
  }

  /** As after a restart: what is durable stays, nothing else. */
  async restart(): Promise<void> {
    await this.cleaner.stop()
    this.cleaner = this.makeCleaner()
    await this.cleaner.start()
  }

  types(): string[] {
    return this.journal.map(({ type }) => type)
  }

  /** Causes of the cleanings that were journalled. */
  causes(): unknown[] {
    return this.journal.filter(({ type }) => type === 'prune:finished').map(({ detail }) => detail.cause)
  }

  makeCleaner(): Cleaner {
    return new Cleaner({
      world: this.world,
      policy: this.policy,
      house: this.house(),
      withLock: async (work) => {
        await this.lockHolder
        return work()
      },
      readUsage: async () => this.usage,
      floorBytes: this.floorBytes,
      isDiskBusy: async () => this.isBusy,
      memory: {
        read: async () => this.memory,
        write: async (last) => {
          if (this.journalError !== null) throw this.journalError
          this.memory = last
        },
      },
      note: async (entry) => {
        if (this.journalError !== null) throw this.journalError
        this.journal.push(entry)
      },
      onError: (error) => this.errors.push(error),
    })
  }

  async #readActive(): Promise<ReferencesRead> {
    if (this.readError !== null) throw this.readError
    return { active: ACTIVE, readTo: 0 }
  }

  house(): HouseDeps {
    return {
      world: this.world,
      dataDir: '/nowhere/that/exists',
      store: {
        readActiveReferences: () => this.#readActive(),
        refreshActiveReferences: () => this.#readActive(),
        countPrunableRows: async () => {
          this.counts += 1
          return { rows: NO_ROWS, isWhole: true }
        },
        pruneRows: (pass, cursor) => this.#pruneRows(pass, cursor),
        giveBackSpace: async () => {
          this.space -= 1
          return this.space > 0
        },
      },
      files: this.files,
      figures: {
        rules: () => [RULE],
        rows: () => ({ retention: KEEPS_ROWS, groups: new Map() }),
      },
      closed: {
        count: async () => this.closed.length,
        archive: async (round) => {
          await this.onArchive(round)
          return this.closed.shift() ?? { archived: 0, bytes: 0, failed: 0, isMore: false }
        },
      },
      batch: this.policy.batch,
      trashMs: this.policy.trashMs,
      listGroups: async () => ['ops'],
      listTrash: async () => [],
    }
  }

  async #pruneRows(pass: RowPruning, cursor: RowCursor | null) {
    this.passes.push(pass)
    this.cursors.push(cursor)
    if (this.rowError !== null) throw this.rowError
    if (this.rowMs > 0) await new Promise<void>((resolve) => this.world.setTimer(this.rowMs, resolve))
    const at = Number(cursor ?? 0)
    if (at >= this.rowBatches) return { removed: NO_ROWS, cursor: null }
    return { removed: { ...NO_ROWS, messages: 100 }, cursor: String(at + 1) as RowCursor }
  }
}

const RULE = {
  name: 'debugLogs',
  group: 'ops',
  root: '/nowhere/that/exists/sessions/ops',
  patterns: ['{session}/work/.claude/debug/*'],
  ageBy: 'writing',
  maxAgeMs: 3 * DAY_MS,
  maxCount: null,
  maxBytes: null,
  mayGoEarly: true,
  keep: ['latest'],
  protects: [],
} as const
