import { type CleaningCause, decideCleaning } from '../decide/decide-cleaning.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { CleaningPolicy } from '../model/retention.ts'
import type { World } from '../world.ts'
import { applyHouse, type HouseOutcome, type HouseProgress, type Stage } from './apply-house.ts'
import type { CleaningMemory, LastCleaning } from './cleaning-memory.ts'
import { type DiskUsage, usedShare } from './disk-usage.ts'
import { type HouseDeps, type HousePlan, type PruneScope, WHOLE_HOUSE } from './house.ts'
import { planHouse } from './plan-house.ts'
import { didAnything, failedLine, finishedLine, removedBy } from './tell-pruning.ts'

export interface CleanerDeps {
  readonly world: World
  readonly policy: CleaningPolicy
  readonly house: HouseDeps
  /** One pruner of a data directory at a time, other processes included; throws PRUNE_BUSY. */
  readonly withLock: <Result>(work: () => Promise<Result>) => Promise<Result>
  readonly readUsage: () => Promise<DiskUsage | null>
  readonly isDiskBusy: () => Promise<boolean>
  readonly memory: CleaningMemory
  readonly note: (entry: JournalEntry) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Between two looks at the clock and the disk. Also how long a host is up before it cleans: a start has more to do. */
const LOOK_MS = 60_000
/** Between two looks at a disk that is busy. */
const BUSY_AGAIN_MS = 5_000
/** The wall clock may run ahead of the monotonic one by so much between two looks. */
const LEAP_MS = 3_600_000
/** What one batch costs the event loop, others get too, at most so much. */
const MAX_WAY_MS = 1_000

/**
 * Cleans the data directory by itself: at its time, sooner when the disk fills, in batches within a time budget, and
 * never while runs wait for the disk. What is left is gone on with; a cleaning that fails is tried again ever later,
 * which is told once (F6, H1). Prunings that a person asks for come in between and have precedence.
 */
export class Cleaner {
  readonly #deps: CleanerDeps
  #last: LastCleaning | null = null
  #endedAtMs: number | null = null
  #wasInVain = false
  #failures = 0
  #failingSinceMs: number | null = null
  #asking = 0
  #seenClocks: { readonly wallMs: number; readonly monotonicMs: number } | null = null
  #leaptAtMs: number | null = null
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
    this.#compareClocks()
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
    const mine = this.#planning.then(() => planHouse(this.#deps.house, scope, null))
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
      const patience = new Patience()
      const mayGoOn = () => this.#mayGoOn(() => Number.POSITIVE_INFINITY, patience)
      // A person has set it no time.
      const mayFinish = mayGoOn
      const giveWay = (tookMs: number) => this.#giveWay(tookMs)
      const outcome = await withLock(() =>
        applyHouse(house, plan, { ...options, startWith: 'closedSessions', mayGoOn, mayFinish, giveWay }),
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
    const { world, policy, readUsage } = this.#deps
    this.#compareClocks()
    const usage = policy.highWaterShare === null ? null : await readUsage()
    const decision = decideCleaning(
      {
        nowMs: world.now(),
        lastEndedAtMs: this.#last?.endedAtMs ?? null,
        restedMs: this.#endedAtMs === null ? null : world.monotonicMs() - this.#endedAtMs,
        leaptAheadMs: this.#leaptAtMs === null ? null : world.monotonicMs() - this.#leaptAtMs,
        isLeftOver: this.#last !== null && this.#last.goOnWith !== null,
        wasInVain: this.#wasInVain,
        failures: this.#failures,
        usedShare: usage === null ? null : usedShare(usage),
      },
      policy,
    )
    if (decision.action === 'clean' && !this.#isStopped) {
      await this.#inTurn(() => this.#clean(decision.because, usage))
    }
  }

  #compareClocks(): void {
    const { world } = this.#deps
    const seen = this.#seenClocks
    const now = { wallMs: world.now(), monotonicMs: world.monotonicMs() }
    this.#seenClocks = now
    if (seen === null) return
    const aheadMs = now.wallMs - seen.wallMs - (now.monotonicMs - seen.monotonicMs)
    if (aheadMs > LEAP_MS) this.#leaptAtMs = now.monotonicMs
    // Set right again, or further back: there is nothing left to doubt.
    if (aheadMs < -LEAP_MS) this.#leaptAtMs = null
  }

  async #clean(cause: CleaningCause, usage: DiskUsage | null): Promise<void> {
    const { world, policy, house, withLock } = this.#deps
    const fromMs = world.monotonicMs()
    const patience = new Patience()
    const errors: unknown[] = []
    const isFull = cause === 'high-water'
    let done: { plan: HousePlan; outcome: HouseOutcome } | null = null
    try {
      done = await withLock(async () => {
        const { highWaterShare } = policy
        const pressure = isFull && usage !== null && highWaterShare !== null ? { usage, highWaterShare } : null
        // A person who waits has precedence.
        const unlessAsked = (untilMs: number) => () => this.#mayGoOn(() => (this.#asking > 0 ? 0 : untilMs), patience)
        const mayGoOn = unlessAsked(fromMs + policy.budgetMs)
        const plan = await planHouse(house, WHOLE_HOUSE, pressure, (error) => errors.push(error))
        const outcome = await applyHouse(house, plan, {
          startWith: isFull ? 'files' : (this.#last?.goOnWith ?? 'closedSessions'),
          // What is put aside gives no room back.
          putsAside: policy.usesTrash && !isFull,
          mayGoOn,
          mayFinish: unlessAsked(Number.POSITIVE_INFINITY),
          giveWay: (tookMs) => this.#giveWay(tookMs),
          onProgress: () => {},
        })
        return { plan, outcome }
      })
      if (done.outcome.error !== null) errors.push(done.outcome.error)
    } catch (error) {
      errors.push(error)
    }
    const tookMs = world.monotonicMs() - fromMs
    if (done !== null) await this.#tell(cause, done, errors.length > 0, { tookMs, ...patience }, usage)
    await this.#remember(done?.outcome ?? null, errors)
    this.#wasInVain = isFull && (done === null || removedBy(done.outcome).bytes === 0)
    if (errors.length > 0 && !this.#isStopped) await this.#failed(errors[0], cause)
  }

  async #tell(
    cause: CleaningCause,
    { plan, outcome }: { readonly plan: HousePlan; readonly outcome: HouseOutcome },
    hasFailed: boolean,
    times: { readonly tookMs: number; readonly waitedMs: number },
    usage: DiskUsage | null,
  ): Promise<void> {
    // One after the other that changes nothing (it fails, or the disk is full of other things) is told once (F1).
    const isInVainAgain = cause === 'high-water' && this.#wasInVain
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
    this.#last = { endedAtMs: world.now(), goOnWith }
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
    for (;;) {
      const nowMs = world.monotonicMs()
      if (this.#isStopped || nowMs >= untilMs()) return false
      if (!(await isDiskBusy())) return !this.#isStopped
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

/** How long one pruning has waited for the disk. */
class Patience {
  waitedMs = 0
}
