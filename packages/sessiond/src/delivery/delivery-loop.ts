import type { Reply } from '../model/reply.ts'
import type { DeliveryOutcome, DueDelivery, Store } from '../store/store.ts'
import type { World } from '../world.ts'
import type { DeliveryDecision, DeliveryPolicy } from './decide-delivery.ts'
import { decideDelivery } from './decide-delivery.ts'
import { deliverOnce } from './deliver-once.ts'
import { Lanes } from './lanes.ts'
import type { OutageLog } from './outage.ts'
import { Outage } from './outage.ts'
import { quoteOf } from './said.ts'
import type { Sink } from './sink.ts'

/** What the loop needs of the store. */
export type DeliveryStore = Pick<Store, 'getMessage' | 'listDueDeliveries' | 'nextDeliveryAtMs' | 'recordDelivery'>

export interface SinkEntry {
  readonly sink: Sink
  readonly policy: DeliveryPolicy
}

export interface DeliveryLoopOptions {
  readonly store: DeliveryStore
  readonly sinks: ReadonlyMap<string, SinkEntry>
  readonly world: World
  readonly log: OutageLog
}

/** Due deliveries asked for at a time, besides those under way. */
const BATCH = 64
/** While due deliveries wait for a lane, the store cannot say when the next one is due; so it is asked again. */
const RECHECK_MS = 250
/** Due times are of the wall clock, timers are not: after the clock was set, no reply waits longer than this. */
const MAX_WAIT_MS = 60_000
/** A sink bounds itself; this is for one that does not. */
const SINK_GRACE_MS = 2000

/**
 * Moves replies from the store to their sinks: in order within a session and sink, side by side otherwise. A reply
 * counts as delivered only once its sink confirmed it and the store recorded that; a host that dies in between
 * delivers it again, with the same key.
 */
export class DeliveryLoop {
  readonly #options: DeliveryLoopOptions
  readonly #lanes: Lanes
  readonly #underWay = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #reading: Outage
  readonly #recording: Outage
  #pumping: Promise<void> | undefined
  #isKicked = false
  #isStopping = false
  #cancelTimer: () => void = () => {}

  constructor(options: DeliveryLoopOptions) {
    this.#options = options
    this.#reading = new Outage(options.log, 'reading deliveries')
    this.#recording = new Outage(options.log, 'recording a delivery')
    this.#lanes = new Lanes((sink) => this.#entryOf(sink).policy.concurrency)
  }

  /** Says that replies may be due: at start, and after each commit that wrote some. Cheap, never throws. */
  kick(): void {
    this.#isKicked = true
    if (this.#isStopping || this.#pumping !== undefined) return
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = undefined
      if (this.#isKicked) this.kick()
    })
  }

  /** Starts nothing more and waits up to `drainMs` for what is under way; the rest stays pending, no attempt spent. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    this.#cancelTimer()
    await this.#pumping
    if (drainMs <= 0) this.#abort.abort()
    const cancelTimer = this.#options.world.setTimer(drainMs, () => this.#abort.abort())
    await Promise.all(this.#underWay)
    cancelTimer()
  }

  /** Never throws: a store that cannot be asked is asked again later. */
  async #pump(): Promise<void> {
    this.#cancelTimer()
    try {
      while (this.#isKicked && !this.#isStopping) {
        this.#isKicked = false
        const askedAtMs = await this.#startDue()
        await this.#armTimer(askedAtMs)
      }
      this.#reading.recovered()
    } catch (error) {
      this.#isKicked = false
      this.#wakeIn(this.#reading.failed(error))
    }
  }

  /** Starts all that has room; returns the instant for which nothing more was to start. */
  async #startDue(): Promise<number> {
    const { store, world } = this.#options
    for (;;) {
      const nowMs = world.now()
      // Those under way are still listed, so they must not use the limit up.
      const due = await store.listDueDeliveries(nowMs, this.#lanes.size + BATCH, this.#lanes.fullSinks())
      if (this.#isStopping) return nowMs
      const started = due.filter((one) => this.#start(one))
      if (started.length === 0) return nowMs
    }
  }

  async #armTimer(askedAtMs: number): Promise<void> {
    const nextAtMs = await this.#options.store.nextDeliveryAtMs()
    if (nextAtMs === null) return
    this.#wakeIn(nextAtMs <= askedAtMs ? RECHECK_MS : Math.min(nextAtMs - this.#options.world.now(), MAX_WAIT_MS))
  }

  #wakeIn(delayMs: number): void {
    this.#cancelTimer()
    if (!this.#isStopping) this.#cancelTimer = this.#options.world.setTimer(Math.max(0, delayMs), () => this.kick())
  }

  #start(due: DueDelivery): boolean {
    if (!this.#lanes.enter(due)) return false
    const work = this.#deliver(due).finally(() => {
      this.#lanes.leave(due)
      this.#underWay.delete(work)
      this.kick()
    })
    this.#underWay.add(work)
    return true
  }

  async #deliver(due: DueDelivery): Promise<void> {
    try {
      await this.#attempt(due)
    } catch (error) {
      // The delivery is due still; without a pause a fault of ours would try it without end.
      await this.#pause(this.#recording.failed(error))
    }
  }

  async #attempt({ delivery, reply }: DueDelivery): Promise<void> {
    const { world } = this.#options
    const { sink, policy } = this.#entryOf(delivery.sink)
    const attempt = delivery.attempts + 1
    const timeoutMs = policy.timeoutMs + SINK_GRACE_MS
    const quote = await this.#quoteFor(reply)
    const outcome = await deliverOnce({ sink, reply, attempt, quote, timeoutMs, stop: this.#abort.signal, world })
    if (outcome === 'stopped') return
    await world.boundary('delivery:confirmed')
    const decision = decideDelivery({ outcome, attempt, policy, nowMs: world.now(), random: world.random() })
    await this.#record(delivery.id, attempt, outcomeOf(decision))
  }

  async #quoteFor({ inReplyTo }: Reply): Promise<string | null> {
    const answered = inReplyTo === null ? null : await this.#options.store.getMessage(inReplyTo)
    return answered === null ? null : quoteOf(answered.content)
  }

  /** Keeps at it while the store cannot write: posting again instead would double the reply. */
  async #record(deliveryId: number, attempt: number, outcome: DeliveryOutcome): Promise<void> {
    const { store, world } = this.#options
    while (!this.#abort.signal.aborted) {
      try {
        // False: somebody replayed, dropped or recorded it meanwhile, and that stands.
        await store.recordDelivery(deliveryId, attempt, outcome, world.now())
        this.#recording.recovered()
        return
      } catch (error) {
        await this.#pause(this.#recording.failed(error))
      }
    }
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#abort.signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancelTimer = this.#options.world.setTimer(delayMs, resolve)
    const onAbort = () => resolve()
    this.#abort.signal.addEventListener('abort', onAbort, { once: true })
    await promise
    cancelTimer()
    this.#abort.signal.removeEventListener('abort', onAbort)
  }

  #entryOf(name: string): SinkEntry {
    return this.#options.sinks.get(name) ?? { sink: absentSink(name), policy: ABSENT_POLICY }
  }
}

const ABSENT_POLICY: DeliveryPolicy = { maxAttempts: 1, baseMs: 0, maxMs: 0, concurrency: 1, timeoutMs: 1000 }

/** Stands in for a sink that has left the configuration: its replies become dead letters, which can be replayed. */
function absentSink(name: string): Sink {
  const error = `the sink ${name} is not in the configuration`
  return { name, deliver: async () => ({ confirmed: false, permanent: true, error }) }
}

function outcomeOf(decision: DeliveryDecision): DeliveryOutcome {
  if (decision.action === 'delivered') return { to: 'delivered', platformMessageId: decision.platformMessageId }
  if (decision.action === 'retry') return { to: 'retry', nextAttemptAtMs: decision.atMs, error: decision.error }
  return { to: 'failed', error: decision.error }
}
