import { hasCode } from '../model/errors.ts'
import type { FoundResource, FoundRun, Runtime } from '../runtime/runtime.ts'
import type { World } from '../world.ts'
import { wordsOf } from './deps.ts'
import { findLeftovers, type LeftoverSearch } from './find-leftovers.ts'

/** Something of this install that nobody knows, and what became of it. */
export interface Leftover {
  readonly kind: 'container' | FoundResource['kind']
  readonly id: string
  readonly name: string
  readonly sessionId: string | null
  readonly epoch: number | null
  readonly wasRunning: boolean
  readonly isGone: boolean
  /** `removed`, or what stood in the way. */
  readonly outcome: string
}

/** A leftover after a try; `isUnasked`: the runtime could not even be asked. */
interface Tried {
  readonly leftover: Leftover
  readonly isUnasked: boolean
}

export interface LeftoverRemoval {
  readonly world: World
  readonly runtime: Runtime
  readonly search: LeftoverSearch
  /** Whether it resisted last time: such ones come last, so that they hold up no other. */
  readonly hasResisted: (id: string) => boolean
  /** Told of some hundred at a time, `total` being how many there are; what is said of them is durable once it resolves. */
  readonly onDone: (leftovers: readonly Leftover[], total: number) => Promise<void>
  /** False: no further one is begun. */
  readonly mayGoOn: () => boolean
}

export interface RemovedLeftovers {
  readonly gone: number
  /** False: it was ended, or gave up, before every leftover was tried. */
  readonly isComplete: boolean
}

/** More at once does not make an engine faster: it removes one after the other. */
const CONCURRENCY = 16
const BATCH = 100

/** So many in a row that could not be asked for: the runtime itself is away, and the rest need not be tried. */
const MAX_UNASKED = 2 * CONCURRENCY

/** A killed run is looked at so often before it is left to the next sweep. */
const GONE_LOOKS = 40
const GONE_WAIT_MS = 50

/**
 * Ends and removes every container or process that carries this install's label but is no live run, then the volumes and
 * networks of this install that nothing uses (D4). Each by itself: one that resists hides no other (D3). What runs comes
 * first, as a new run of its session must not meet it. Throws RUNTIME_UNREACHABLE when the runtime cannot list.
 */
export async function removeLeftovers(removal: LeftoverRemoval): Promise<RemovedLeftovers> {
  const { runtime, search, hasResisted } = removal
  const found = await findLeftovers(runtime, search)
  const runs = [...found.runs].sort((a, b) => rankOf(a, hasResisted) - rankOf(b, hasResisted))
  const total = runs.length + found.resources.length
  const rounds = new Rounds(removal, total)
  await rounds.workThrough(runs, (run) => removeRun(removal, run))
  // After the containers, whose end may have freed them.
  await rounds.workThrough(found.resources, (resource) => removeResource(removal, resource))
  return { gone: rounds.gone, isComplete: rounds.mayGoOn() }
}

/** Works through leftovers, some at a time, and tells of each batch. */
class Rounds {
  readonly #removal: LeftoverRemoval
  readonly #total: number
  #unaskedInARow = 0
  gone = 0

  constructor(removal: LeftoverRemoval, total: number) {
    this.#removal = removal
    this.#total = total
  }

  /** Of what comes out as null nothing is told. */
  async workThrough<T>(items: readonly T[], tryOne: (item: T) => Promise<Tried | null>): Promise<void> {
    for (let from = 0; from < items.length && this.mayGoOn(); from += BATCH) {
      const waiting = items.slice(from, from + BATCH)
      const done: Leftover[] = []
      const work = async () => {
        for (let item = waiting.shift(); item !== undefined && this.mayGoOn(); item = waiting.shift()) {
          const tried = await tryOne(item)
          if (tried === null) continue
          this.#unaskedInARow = tried.isUnasked ? this.#unaskedInARow + 1 : 0
          done.push(tried.leftover)
        }
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
      if (done.length > 0) await this.#removal.onDone(done, this.#total)
      this.gone += done.filter(({ isGone }) => isGone).length
    }
  }

  mayGoOn(): boolean {
    return this.#unaskedInARow < MAX_UNASKED && this.#removal.mayGoOn()
  }
}

function rankOf(run: FoundRun, hasResisted: (id: string) => boolean): number {
  return (run.isRunning ? 0 : 1) + (hasResisted(run.handle.id) ? 2 : 0)
}

async function removeRun({ world, runtime }: LeftoverRemoval, run: FoundRun): Promise<Tried> {
  const { handle, name, sessionId, epoch, isRunning } = run
  const about = { kind: 'container', id: handle.id, name, sessionId, epoch, wasRunning: isRunning } as const
  try {
    if (isRunning) {
      await runtime.signal(handle, 'SIGKILL')
      const state = await lookUntilGone(world, runtime, run)
      if (state === 'running' || state === 'unknown') return resisted(about, `killed, but still ${state}`)
    }
    await runtime.remove(handle)
    return removed(about)
  } catch (error) {
    return failed(about, error)
  }
}

/** A killed one may need a moment to be gone. */
async function lookUntilGone(world: World, runtime: Runtime, { handle }: FoundRun) {
  for (let looks = 1; ; looks += 1) {
    const { state } = await runtime.inspect(handle)
    if (state !== 'running' || looks === GONE_LOOKS) return state
    await new Promise<void>((resolve) => world.setTimer(GONE_WAIT_MS, resolve))
  }
}

/** What is in use belongs to somebody: it is nobody's leftover, and nothing is said of it. */
async function removeResource({ runtime }: LeftoverRemoval, resource: FoundResource): Promise<Tried | null> {
  const { kind, id, name } = resource
  const about = { kind, id, name, sessionId: null, epoch: null, wasRunning: false } as const
  try {
    return (await runtime.removeResource(resource)) === 'in-use' ? null : removed(about)
  } catch (error) {
    return failed(about, error)
  }
}

type About = Omit<Leftover, 'isGone' | 'outcome'>

function removed(about: About): Tried {
  return { leftover: { ...about, isGone: true, outcome: 'removed' }, isUnasked: false }
}

function resisted(about: About, outcome: string): Tried {
  return { leftover: { ...about, isGone: false, outcome }, isUnasked: false }
}

function failed(about: About, error: unknown): Tried {
  return { ...resisted(about, wordsOf(error)), isUnasked: hasCode(error, 'RUNTIME_UNREACHABLE') }
}
