import { join, resolve } from 'node:path'
import { isImplausible, protectedBecause } from '../../decide/decide-removals.ts'
import type {
  ActiveReferences,
  ArtifactClass,
  PlannedClass,
  PlannedRemoval,
  PrunePlan,
  StayReason,
} from '../../model/artifact.ts'
import { SessiondError } from '../../model/errors.ts'
import type { World } from '../../world.ts'
import {
  type AppliedRemovals,
  type ApplyRequest,
  type ArtifactFiles,
  addStays,
  type PlanRequest,
} from '../artifact-files.ts'
import type { PlanLimits, PruneAnswer, RemovalItem } from './messages.ts'
import { PruneProcess } from './prune-process.ts'
import { unpackRemovals } from './removal-chunks.ts'

/** Some 300 MB in the child, and some 100 MB for the host's plan. */
const LIMITS: PlanLimits = { entries: 500_000, removals: 250_000, looks: 5_000_000 }
/** Between two questions to whoever asked for the work whether to go on. */
const ASK_MS = 1_000

/** Looks at and removes artifacts in a process of its own, which lives as long as one plan or one apply. */
export function createArtifactFiles(options: {
  readonly world: Pick<World, 'newId' | 'setTimer'>
  readonly limits?: Partial<PlanLimits>
}): ArtifactFiles {
  return new ProcessArtifactFiles(options.world, { ...LIMITS, ...options.limits })
}

class ProcessArtifactFiles implements ArtifactFiles {
  readonly #world: Pick<World, 'newId' | 'setTimer'>
  readonly #limits: PlanLimits
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #planning = new Set<PruneProcess>()
  readonly #applying = new Set<PruneProcess>()
  #isClosed = false

  constructor(world: Pick<World, 'newId' | 'setTimer'>, limits: PlanLimits) {
    this.#world = world
    this.#limits = limits
  }

  plan(request: PlanRequest): Promise<PrunePlan> {
    return this.#track(this.#plan(request))
  }

  apply(request: ApplyRequest): Promise<AppliedRemovals> {
    return this.#track(this.#apply(request))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const process of this.#applying) process.tell('stop')
    // A plan changes nothing, and may take long.
    await Promise.all([...this.#planning].map((process) => process[Symbol.asyncDispose]()))
    await Promise.allSettled(this.#underWay)
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  async #plan({ rules, active, nowMs, pressure, mayGoOn }: PlanRequest): Promise<PrunePlan> {
    const removals: PlannedRemoval[] = []
    await using process = await this.#start(this.#planning)
    await using _asking = this.#keepAsking(process, mayGoOn, { rests: true })
    const sent = rules.map((rule) => ({ ...rule, root: resolve(rule.root) }))
    const answer = await process.ask(
      { kind: 'plan', rules: sent, active, nowMs, pressure, limits: this.#limits },
      ({ chunk }) => {
        for (const removal of unpackRemovals(chunk, rules, pressure)) removals.push(removal)
      },
    )
    if (answer.kind === 'implausible') throw implausibleError()
    if (answer.kind !== 'planned') throw new TypeError(`The pruner answered ${answer.kind} to a plan`)
    const classes = classesOf(rules, removals, answer.tallies)
    return { plannedAtMs: nowMs, rules, removals, classes, isPartial: answer.isPartial }
  }

  async #apply(request: ApplyRequest): Promise<AppliedRemovals> {
    const { plan } = request
    const tally = new AppliedTally(plan.rules)
    let next = 0
    // One name for this call: what was put aside before, by whatever path, is never met.
    const trashName = this.#world.newId('t-')
    await using process = await this.#start(this.#applying)
    while (next < plan.removals.length && !this.#isClosed && (await request.mayGoOn())) {
      const end = Math.min(plan.removals.length, next + Math.max(1, request.batch))
      const stoppedAt = await this.#applyBatch(process, request, { from: next, end, trashName, tally })
      next = stoppedAt ?? end
      request.onProgress({ next, classes: tally.classes() })
      if (stoppedAt !== null) break
    }
    return { next, classes: tally.classes() }
  }

  /** Null: all of it was looked at; otherwise the first that was not. */
  async #applyBatch(
    process: PruneProcess,
    { plan, readActive, trashDir, checks = 'unchanged', mayGoOn }: ApplyRequest,
    { from, end, trashName, tally }: { from: number; end: number; trashName: string; tally: AppliedTally },
  ): Promise<number | null> {
    const batch = plan.removals.slice(from, end)
    const active = await readActive(batch)
    assertPlausible(plan.rules, batch, active)
    const free: number[] = []
    for (const [index, removal] of batch.entries()) {
      const because = protectedBecause(removal, ruleOf(plan, removal).protects, active)
      if (because === null) free.push(index)
      else tally.stays(removal, because)
    }
    const items = free.flatMap((index) => itemOf(plan, batch[index], trashName))
    // It does not rest: what must stay was read for what is done right now.
    await using _asking = this.#keepAsking(process, mayGoOn, { rests: false })
    const answer = await process.ask({ kind: 'apply', items, trash: trashDir, checks })
    const outcomes = outcomesOf(answer)
    let notLookedAt: number | null = null
    for (const [position, index] of free.entries()) {
      const removal = batch[index]
      const outcome = outcomes[position]
      if (removal === undefined || outcome === undefined) continue
      if (outcome === null) notLookedAt ??= from + index
      else if (outcome === 'removed') tally.removed(removal)
      else tally.stays(removal, outcome)
    }
    return notLookedAt
  }

  /**
   * Until it is disposed of: at the first no the process comes to its end. `rests`: until each answer. One question at a
   * time: disposing of it waits for the answer that is under way.
   */
  #keepAsking(
    process: PruneProcess,
    mayGoOn: PlanRequest['mayGoOn'],
    { rests }: { readonly rests: boolean },
  ): AsyncDisposable {
    let cancel = () => {}
    let isOver = mayGoOn === undefined
    let asked: Promise<void> = Promise.resolve()
    const ask = async () => {
      if (rests) process.tell('pause')
      // What cannot be answered is for whoever asks to tell, and no reason to break off.
      const goesOn = (await mayGoOn?.().catch(() => true)) ?? true
      if (!goesOn && !isOver) process.tell('stop')
      else if (rests) process.tell('resume')
      if (goesOn && !isOver) arm()
    }
    const arm = () => {
      cancel = this.#world.setTimer(ASK_MS, () => {
        asked = ask()
      })
    }
    if (!isOver) arm()
    return {
      async [Symbol.asyncDispose]() {
        isOver = true
        cancel()
        await asked
      },
    }
  }

  async #start(into: Set<PruneProcess>): Promise<PruneProcess> {
    if (this.#isClosed) throw closedError()
    const process = await PruneProcess.start()
    into.add(process)
    // However it ends.
    void process.exited.then(() => into.delete(process))
    if (!this.#isClosed) return process
    await process[Symbol.asyncDispose]()
    throw closedError()
  }
}

/** What came of a plan, class by class. */
class AppliedTally {
  readonly #classes = new Map<string, { entries: number; bytes: number; stays: Partial<Record<StayReason, number>> }>()

  constructor(rules: readonly ArtifactClass[]) {
    for (const { name } of rules) this.#classes.set(name, { entries: 0, bytes: 0, stays: {} })
  }

  removed({ className, bytes }: PlannedRemoval): void {
    const counted = this.#classes.get(className)
    if (counted === undefined) return
    counted.entries += 1
    counted.bytes += bytes
  }

  stays({ className }: PlannedRemoval, reason: StayReason): void {
    const counted = this.#classes.get(className)
    if (counted !== undefined) counted.stays = addStays(counted.stays, { [reason]: 1 })
  }

  classes(): AppliedRemovals['classes'] {
    return [...this.#classes].map(([name, { entries, bytes, stays }]) => ({
      name,
      removed: { entries, bytes },
      stays: { ...stays },
    }))
  }
}

function classesOf(
  rules: readonly ArtifactClass[],
  removals: readonly PlannedRemoval[],
  tallies: (PruneAnswer & { kind: 'planned' })['tallies'],
): readonly PlannedClass[] {
  const classes = new Map<string, PlannedClass>()
  const nothing = { seen: { entries: 0, bytes: 0 }, removed: { entries: 0, bytes: 0 }, stays: {} }
  for (const [rule, { name }] of rules.entries()) {
    const { seen, removed, stays } = classes.get(name) ?? nothing
    const tally = tallies[rule]
    if (tally === undefined) continue
    const entries = seen.entries + tally.entries
    const bytes = seen.bytes + tally.bytes
    classes.set(name, { name, seen: { entries, bytes }, removed, stays: addStays(stays, tally.stays) })
  }
  const sums = new AppliedTally(rules)
  for (const removal of removals) sums.removed(removal)
  return sums.classes().flatMap(({ name, removed }) => {
    const planned = classes.get(name)
    return planned === undefined ? [] : [{ ...planned, removed }]
  })
}

function itemOf(plan: PrunePlan, removal: PlannedRemoval | undefined, trashName: string): readonly RemovalItem[] {
  if (removal === undefined) return []
  const { path, isFolder, identity, rule } = removal
  const root = resolve(ruleOf(plan, removal).root)
  // Rules may share a class and paths, but not what they find.
  return [{ path, isFolder, identity, root, trashName: join(segmentOf(removal.className), `${trashName}-${rule}`) }]
}

/** A class is named by whoever writes the configuration; in the trash it is one folder, whatever it is called. */
function segmentOf(className: string): string {
  return encodeURIComponent(className).replace(/^\./, '%2E')
}

function outcomesOf(answer: PruneAnswer): (PruneAnswer & { kind: 'applied' })['outcomes'] {
  if (answer.kind !== 'applied') throw new TypeError(`The pruner answered ${answer.kind} to a batch`)
  return answer.outcomes
}

function ruleOf(plan: PrunePlan, { rule }: PlannedRemoval): ArtifactClass {
  const found = plan.rules[rule]
  if (found === undefined) throw new RangeError(`The plan has no rule ${rule}`)
  return found
}

/** There were sessions when the plan was made, or it could not have been: a store that has lost them all is no store. */
function assertPlausible(
  rules: readonly ArtifactClass[],
  batch: readonly PlannedRemoval[],
  active: ActiveReferences,
): void {
  const entriesByRule = rules.map(() => 0)
  for (const { rule } of batch) entriesByRule[rule] = 1
  if (isImplausible(rules, entriesByRule, active)) throw implausibleError()
}

function implausibleError(): SessiondError {
  return new SessiondError('REFERENCES_IMPLAUSIBLE', 'Files of sessions were found, but no session is known.')
}

function closedError(): SessiondError {
  return new SessiondError('PRUNE_FAILED', 'Pruning was closed.')
}
