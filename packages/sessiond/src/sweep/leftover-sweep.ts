import type { HostConfig } from '../config/config.ts'
import { searchBy } from '../effects/find-leftovers.ts'
import { type Leftover, removeLeftovers } from '../effects/remove-leftovers.ts'
import type { JournalEntry, JournalType } from '../model/journal.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

export interface LeftoverSweepDeps {
  readonly world: World
  readonly store: Pick<Store, 'listLiveRuns' | 'append'>
  readonly config: Pick<HostConfig, 'groups'>
}

const TYPE_OF: Readonly<Record<Leftover['kind'], JournalType>> = {
  container: 'container:removed',
  volume: 'volume:removed',
  network: 'network:removed',
}

/** Up to so many of one sweep have a journal line each; of more, each batch has one that names them all. */
const LINE_EACH = 100

/**
 * Removes what runtimes have of this install that no live run knows. One sweep of a runtime at a time: who asks while
 * one is under way waits for that one. A leftover that resists is journalled once for each reason, not at every sweep.
 */
export class LeftoverSweep {
  readonly #deps: LeftoverSweepDeps
  readonly #underWay = new Map<string, Promise<number>>()
  /** By runtime: ids of what resisted, and why. */
  readonly #resisting = new Map<string, ReadonlyMap<string, string>>()
  #isStopped = false

  constructor(deps: LeftoverSweepDeps) {
    this.#deps = deps
  }

  /** Resolves with how many are gone; throws RUNTIME_UNREACHABLE when the runtime cannot list, and the store's errors. */
  clear(runtime: Runtime): Promise<number> {
    const current = this.#underWay.get(runtime.name)
    if (current !== undefined) return current
    const clearing = this.#clear(runtime).finally(() => this.#underWay.delete(runtime.name))
    this.#underWay.set(runtime.name, clearing)
    return clearing
  }

  /** Begins nothing more; resolves when what is under way has ended, however it did. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.allSettled(this.#underWay.values())
  }

  async #clear(runtime: Runtime): Promise<number> {
    const { world, store, config } = this.#deps
    const before = this.#resisting.get(runtime.name) ?? new Map<string, string>()
    const resisting = new Map<string, string>()
    const unsaid: unknown[] = []
    const { gone, isComplete } = await removeLeftovers({
      world,
      runtime,
      search: searchBy(config, store),
      hasResisted: (id) => before.has(id),
      mayGoOn: () => !this.#isStopped,
      onDone: async (leftovers, total) => {
        for (const { isGone, id, outcome } of leftovers) if (!isGone) resisting.set(id, outcome)
        const news = leftovers.filter(({ isGone, id, outcome }) => isGone || before.get(id) !== outcome)
        const lines = linesOf(news, { runtime: runtime.name, total, atMs: world.now() })
        // A full disk is the last thing for which what fills it would be left there.
        await store.append(lines).catch((error: unknown) => unsaid.push(error))
      },
    })
    // What was not come to is as it was; what a complete sweep did not meet is gone.
    this.#resisting.set(runtime.name, isComplete ? resisting : new Map([...before, ...resisting]))
    if (unsaid.length > 0) throw unsaid[0]
    return gone
  }
}

interface Telling {
  readonly runtime: string
  readonly total: number
  readonly atMs: number
}

function linesOf(leftovers: readonly Leftover[], telling: Telling): JournalEntry[] {
  if (telling.total <= LINE_EACH) return leftovers.map((leftover) => lineOf(leftover, telling))
  const summed = Object.keys(TYPE_OF).map((kind) => leftovers.filter((each) => each.kind === kind && each.isGone))
  return [
    ...summed.filter((gone) => gone.length > 0).map((gone) => sumOf(gone, telling)),
    ...leftovers.filter(({ isGone }) => !isGone).map((leftover) => lineOf(leftover, telling)),
  ]
}

function lineOf(leftover: Leftover, { runtime, atMs }: Telling): JournalEntry {
  const { kind, name, sessionId, epoch, wasRunning, outcome } = leftover
  const detail = { runtime, name, wasRunning, outcome }
  return { type: TYPE_OF[kind], atMs, sessionId, epoch, messageId: null, detail }
}

function sumOf(gone: readonly Leftover[], { runtime, total, atMs }: Telling): JournalEntry {
  const [first] = gone
  const wereRunning = gone.filter(({ wasRunning }) => wasRunning).length
  const names = gone.map(({ name }) => name)
  const detail = { runtime, outcome: 'removed', count: gone.length, wereRunning, ofFound: total, names }
  const type = TYPE_OF[first?.kind ?? 'container']
  return { type, atMs, sessionId: null, epoch: null, messageId: null, detail }
}
