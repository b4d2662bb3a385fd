import {
  type CleaningCause,
  decideCleaning,
  decidePressure,
  isAtHighWater,
  isNearFloor,
} from '../decide/decide-cleaning.ts'
import { SessiondError } from '../model/errors.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { CleaningPolicy } from '../model/retention.ts'
import type { World } from '../world.ts'
import { applyHouse, type HouseOutcome, type HouseProgress, type Stage } from './apply-house.ts'
import type { CleaningMemory, LastCleaning } from './cleaning-memory.ts'
import { ClockDoubt } from './clock-doubt.ts'
import { type DiskUsage, usedShare } from './disk-usage.ts'
import type { HouseDeps, HousePlan, PruneScope } from './house.ts'
import { planCleaning, planHouse } from './plan-house.ts'
import { didAnything, failedLine, finishedLine } from './tell-pruning.ts'

export interface CleanerDeps {
  readonly world: World
  readonly policy: CleaningPolicy
  readonly house: HouseDeps
  /** One pruner of a data directory at a time, other processes included; throws PRUNE_BUSY. */
  readonly withLock: <Result>(work: () => Promise<Result>) => Promise<Result>
  readonly readUsage: () => Promise<DiskUsage | null>
  /** Room below which no new work begins. */
  readonly floorBytes: number
  readonly isDiskBusy: () => Promise<boolean>
  readonly memory: CleaningMemory
  readonly note: (entry: JournalEntry) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Between two looks at the clock and the disk. Also how long a host is up before it cleans: a start has more to do. */
const LOOK_MS = 60_000
/** Between two looks at a disk that is busy. */
const BUSY_AGAIN_MS = 5_000
/** How long each batch waits for a busy disk when a full disk, or a person, wants the pruning; the host's own waits for ever. */
const FULL_WAITS_MS = 30_000
const ASKED_WAITS_MS = BUSY_AGAIN_MS
/** After each batch others get the event loop for as long as it took, at most this. */
const MAX_WAY_MS = 1_000

/**
 * Cleans the data directory by itself: at its time, sooner when the disk fills, in batches within a time budget, and
 * not while runs wait for the disk. What is left is gone on with; a cleaning that fails, or to which a busy disk leaves
 * no time at all, is tried again ever later, which is told once (F6, H1). Prunings that a person asks for come in between
 * and have precedence.
 */
export class Cleaner {
  readonly #deps: CleanerDeps
  #last: LastCleaning | null = null
  #endedAtMs: number | null = null
  #vainInARow = 0
  #failures = 0
  #failingSinceMs: number | null = null
  #asking = 0
  #clocks: ClockDoubt | null = null
  #isStopped = true
  #cancelTimer: () => void = () => {}
  #looking: Promise<void> = Promise.resolve()
  #turn: Promise<unknown> = Promise.resolve()
  #planning: Promise<unknown> = Promise.resolve()
  readonly #wake = new Set<() => void>()

  constructor(deps: CleanerDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    this.#last = await this.#deps.memory.read()
    this.#isStopped = false
    this.#clocks = new ClockDoubt(this.#deps.world, this.#last?.endedAtMs ?? null)
    this.#arm()
  }

  /** Ends what is under way at its next batch; what is left is for the next start. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer()
    for (const wake of [...this.#wake]) wake()
    await this.#deps.house.files.close()
    await Promise.all([this.#looking, this.#turn, this.#planning])
  }

  /** For how long no cleaning has worked; null: the last one did. */
  failingForMs(): number | null {
    return this.#failingSinceMs === null ? null : this.#deps.world.monotonicMs() - this.#failingSinceMs
  }

  /** Plans what a person asks for, one plan at a time; what cleans meanwhile is not disturbed. */
  plan(scope: PruneScope): Promise<HousePlan> {
    const mine = this.#planning.then(() => planHouse(this.#deps.house, scope))
    this.#planning = settled(mine)
    return mine
  }

  /** Carries out exactly this plan, however long it takes. Throws PRUNE_BUSY. */
  carryOut(
    plan: HousePlan,
    options: { readonly putsAside: boolean; readonly onProgress: (progress: HouseProgress) => void },
  ): Promise<HouseOutcome> {
    return this.#asked(async () => {
      const { world, house, withLock } = this.#deps
      const fromMs = world.monotonicMs()
      const patience = new Patience(ASKED_WAITS_MS)
      const mayGoOn = () => this.#mayGoOn(() => Number.POSITIVE_INFINITY, patience)
      // A person has set it no time.
      const mayFinish = mayGoOn
      const giveWay = (tookMs: number) => this.#giveWay(tookMs)
      const outcome = await withLock(() =>
        applyHouse(house, plan, {
          ...options,
          startWith: 'closedSessions',
          rowsFrom: null,
          mayGoOn,
          mayFinish,
          giveWay,
        }),
      )
      const tookMs = world.monotonicMs() - fromMs
      const { waitedMs } = patience
      await this.#note(
        await finishedLine(
          { cause: 'asked', plan, outcome, tookMs, waitedMs, failuresBefore: 0, usedShare: null },
          world.now(),
        ),
      )
      return outcome
    })
  }

  #arm(): void {
    if (this.#isStopped) return
    this.#cancelTimer = this.#deps.world.setTimer(LOOK_MS, () => {
      // E17: whatever came of a look, there is a next one.
      this.#looking = this.#look()
        .catch(this.#deps.onError)
        .finally(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    const { world, policy, readUsage, floorBytes } = this.#deps
    const leaptAheadMs = this.#clocks?.leaptAheadMs() ?? null
    const usage = policy.highWaterShare === null ? null : await readUsage()
    const decision = decideCleaning(
      {
        nowMs: world.now(),
        lastEndedAtMs: this.#last?.endedAtMs ?? null,
        restedMs: this.#endedAtMs === null ? null : world.monotonicMs() - this.#endedAtMs,
        leaptAheadMs,
        isLeftOver: this.#last !== null && this.#last.goOnWith !== null,
        vainInARow: this.#vainInARow,
        failures: this.#failures,
        usedShare: usage === null ? null : usedShare(usage),
        isNearFloor: usage !== null && isNearFloor({ ...usage, floorBytes }),
      },
      policy,
    )
    if (decision.action === 'clean' && !this.#isStopped) {
      await this.#inTurn(() => this.#clean(decision.because, usage))
    }
  }

  async #clean(cause: CleaningCause, usage: DiskUsage | null): Promise<void> {
    const { world, withLock } = this.#deps
    const fromMs = world.monotonicMs()
    const patience = new Patience(cause === 'high-water' ? FULL_WAITS_MS : Number.POSITIVE_INFINITY)
    const errors: unknown[] = []
    let done: Done | null = null
    try {
      done = await withLock(() => this.#work(cause, usage, patience, (error) => errors.push(error)))
      if (done !== null && done.outcome.error !== null) errors.push(done.outcome.error)
      if (this.#wasKeptFromWork(done, patience)) errors.push(keptFromWork(patience))
    } catch (error) {
      errors.push(error)
    }
    const tookMs = world.monotonicMs() - fromMs
    if (done !== null) await this.#tell(cause, done, errors.length > 0, { tookMs, waitedMs: patience.waitedMs }, usage)
    await this.#remember(done?.outcome ?? null, errors)
    if (cause === 'high-water') await this.#noteVain()
    if (errors.length > 0 && !this.#isStopped) await this.#failed(errors[0], cause)
  }

  /** Plans and carries out; null: it was not even let begin. */
  async #work(
    cause: CleaningCause,
    usage: DiskUsage | null,
    patience: Patience,
    onError: (error: unknown) => void,
  ): Promise<Done | null> {
    const { world, policy, house, floorBytes } = this.#deps
    let fromMs = world.monotonicMs()
    // A person who waits has precedence.
    const unlessAsked =
      (untilMs: () => number, waits = patience) =>
      () =>
        this.#mayGoOn(() => (this.#asking > 0 ? 0 : untilMs()), waits)
    const mayGoOn = unlessAsked(() => fromMs + policy.budgetMs)
    if (!(await mayGoOn())) return null
    const isFull = cause === 'high-water'
    const { highWaterShare } = policy
    const isPressed = isFull && usage !== null && highWaterShare !== null
    const pressure = isPressed ? decidePressure({ ...usage, highWaterShare, floorBytes }) : null
    // A plan broken off because it has taken long would be broken off at the same place every time, and what lies
    // behind it never be seen: only waiting is bounded.
    const planning = new Patience(patience.eachMs, Math.min(patience.eachMs, policy.budgetMs))
    const mayPlanOn = unlessAsked(() => Number.POSITIVE_INFINITY, planning)
    const plan = await planCleaning(house, pressure, { mayGoOn: mayPlanOn, onError })
    patience.waitedMs += planning.waitedMs
    // However long planning took, there is time for what it is for: else a large house would never be cleaned.
    fromMs = world.monotonicMs()
    const outcome = await applyHouse(house, plan, {
      startWith: this.#last?.goOnWith ?? (isFull ? 'files' : 'closedSessions'),
      rowsFrom: this.#last?.rowsFrom ?? null,
      // What is put aside gives no room back.
      putsAside: policy.usesTrash && !isFull,
      mayGoOn,
      mayFinish: unlessAsked(() => Number.POSITIVE_INFINITY),
      giveWay: (tookMs) => this.#giveWay(tookMs),
      onProgress: () => {},
    })
    return { plan, outcome }
  }

  /** The disk was busy all the time: one cleaning after the other would come to nothing, and nobody would know. */
  #wasKeptFromWork(done: Done | null, { waitedMs }: Patience): boolean {
    if (this.#isStopped || this.#asking > 0 || waitedMs === 0) return false
    return done === null || (done.outcome.stoppedAt !== null && !didAnything(done.outcome))
  }

  /** Whether the disk is still at the mark: then it is others who fill it. */
  async #noteVain(): Promise<void> {
    const { policy, readUsage } = this.#deps
    const usage = await readUsage()
    const isFull = isAtHighWater(usage === null ? null : usedShare(usage), policy)
    this.#vainInARow = isFull ? this.#vainInARow + 1 : 0
  }

  async #tell(
    cause: CleaningCause,
    { plan, outcome }: Done,
    hasFailed: boolean,
    times: { readonly tookMs: number; readonly waitedMs: number },
    usage: DiskUsage | null,
  ): Promise<void> {
    // One after the other that changes nothing (it fails, or the disk is full of other things) is told once (F1).
    const isInVainAgain = cause === 'high-water' && this.#vainInARow > 0
    if ((hasFailed || isInVainAgain) && !didAnything(outcome)) return
    const share = usage === null ? null : usedShare(usage)
    const finished = { cause, plan, outcome, ...times, failuresBefore: this.#failures, usedShare: share }
    await this.#note(await finishedLine(finished, this.#deps.world.now()))
  }

  async #remember(outcome: HouseOutcome | null, errors: readonly unknown[]): Promise<void> {
    const { world, memory, onError } = this.#deps
    this.#endedAtMs = world.monotonicMs()
    if (outcome === null || (errors.length > 0 && outcome.stoppedAt === null)) return
    const goOnWith: Stage | null = outcome.goOnWith ?? (outcome.isMore ? 'files' : null)
    this.#last = { endedAtMs: world.now(), goOnWith, rowsFrom: outcome.rowsFrom }
    if (errors.length === 0) {
      this.#failures = 0
      this.#failingSinceMs = null
    }
    // On a full disk it cannot be kept: a restart would clean once more, which does no harm.
    await memory.write(this.#last).catch(onError)
  }

  async #failed(error: unknown, cause: CleaningCause): Promise<void> {
    const { world } = this.#deps
    this.#failures += 1
    this.#failingSinceMs ??= world.monotonicMs()
    if (this.#failures === 1) await this.#note(failedLine(error, cause, world.now()))
  }

  /** A journal that cannot be written must not stop what makes room for it. */
  async #note(entry: JournalEntry): Promise<void> {
    await this.#deps.note(entry).catch(this.#deps.onError)
  }

  async #mayGoOn(untilMs: () => number, patience: Patience): Promise<boolean> {
    const { world, isDiskBusy } = this.#deps
    const waitsUntilMs = world.monotonicMs() + patience.leftMs
    for (;;) {
      const nowMs = world.monotonicMs()
      if (this.#isStopped || nowMs >= untilMs()) return false
      if (nowMs >= waitsUntilMs || !(await isDiskBusy())) return !this.#isStopped
      await this.#pause(Math.min(BUSY_AGAIN_MS, untilMs() - nowMs))
      patience.waitedMs += world.monotonicMs() - nowMs
    }
  }

  async #giveWay(tookMs: number): Promise<void> {
    if (tookMs >= 1) await this.#pause(Math.min(tookMs, MAX_WAY_MS))
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#deps.world.setTimer(ms, () => end())
      const end = () => {
        cancel()
        this.#wake.delete(end)
        resolve()
      }
      this.#wake.add(end)
    })
  }

  async #asked<Result>(work: () => Promise<Result>): Promise<Result> {
    // A cleaning of the host's own that is under way ends at its next batch.
    this.#asking += 1
    return this.#inTurn(() => {
      this.#asking -= 1
      return work()
    })
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work)
    this.#turn = settled(mine)
    return mine
  }
}

/** Ends when the work does, however: whoever asked for it is told, and the next one has its own turn. */
function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  )
}

/** How long one pruning waits for a busy disk before each batch, and in all, and has waited. */
class Patience {
  waitedMs = 0
  readonly eachMs: number
  readonly #allMs: number

  constructor(eachMs: number, allMs = Number.POSITIVE_INFINITY) {
    this.eachMs = eachMs
    this.#allMs = allMs
  }

  /** Of the next wait. */
  get leftMs(): number {
    return Math.min(this.eachMs, this.#allMs - this.waitedMs)
  }
}

interface Done {
  readonly plan: HousePlan
  readonly outcome: HouseOutcome
}

function keptFromWork({ waitedMs }: Patience): SessiondError {
  const seconds = Math.round(waitedMs / 1_000)
  return new SessiondError('PRUNE_FAILED', `Runs waited for the disk for as long as there was time (${seconds} s).`, {
    fields: { waitedMs },
    cure: 'It is tried again; a faster disk, or `sessiond prune` by hand, which waits less, gets it done.',
  })
}
