import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROVIDER } from '@sessiond/testkit'
import { expect, vi } from 'vitest'
import type { DeliveryLoopOptions, SinkEntry } from '../../src/delivery/delivery-loop.ts'
import { DeliveryLoop } from '../../src/delivery/delivery-loop.ts'
import type { Attempt, Sink, SinkOutcome } from '../../src/delivery/sink.ts'
import type { Delivery, Reply } from '../../src/model/reply.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import type { World } from '../../src/world.ts'
import { realWorld } from '../../src/world.ts'

const NOWHERE = { platformId: null, channelType: null, threadId: null }

export const CONFIRMED: SinkOutcome = { confirmed: true, platformMessageId: null }

/** Patient enough for tests that do not look at times. */
export const POLICY: SinkEntry['policy'] = { maxAttempts: 3, baseMs: 10, maxMs: 50, concurrency: 4, timeoutMs: 20_000 }

/** A real store in a directory of its own, with a way to put replies into it and to see what became of them. */
export class DeliveryFixture {
  readonly world: World
  readonly warnings: string[] = []
  readonly #store: Store
  readonly #dir: string
  readonly #loops: DeliveryLoop[] = []
  readonly #runs = new Map<string, { sessionId: string; epoch: number; name: string; takenSeq: number }>()

  private constructor(store: Store, dir: string, world: World) {
    this.#store = store
    this.#dir = dir
    this.world = world
  }

  static async open(world: World = realWorld): Promise<DeliveryFixture> {
    const dir = await mkdtemp(join(tmpdir(), 'sessiond-delivery-'))
    return new DeliveryFixture(await openStore({ dataDir: dir, world }), dir, world)
  }

  get store(): Store {
    return this.#store
  }

  /** A loop over the store, stopped with the fixture. */
  loop(sinks: readonly SinkEntry[], options: Partial<DeliveryLoopOptions> = {}): DeliveryLoop {
    const loop = new DeliveryLoop({
      store: this.#store,
      world: this.world,
      sinks: new Map(sinks.map((entry) => [entry.sink.name, entry])),
      log: { warn: (_fields, message) => this.warnings.push(message), info: () => {} },
      ...options,
    })
    this.#loops.push(loop)
    return loop
  }

  /** Takes in replies of a session's run, one delivery per sink each; they answer `inReplyTo`. */
  async reply(
    sessionId: string,
    texts: readonly string[],
    sinks: readonly string[],
    inReplyTo: string | null = null,
  ): Promise<void> {
    const run = this.#runs.get(sessionId) ?? (await this.#startRun(sessionId))
    const nowMs = this.world.now()
    const replies = texts.map((text) => {
      run.takenSeq += 2
      const id = `${sessionId.replace('/', '-')}-${run.takenSeq}`
      const content = JSON.stringify({ text })
      return {
        id,
        seq: run.takenSeq,
        inReplyTo,
        kind: 'chat' as const,
        content,
        deliverAfterMs: nowMs,
        address: NOWHERE,
      }
    })
    const { takenSeq, ...key } = run
    const taken = {
      run: key,
      nowMs,
      settlements: [],
      replies,
      takenSeq,
      countedAcks: [],
      requests: [],
      sessionState: [],
      sinks,
      provider: PROVIDER,
      journal: [],
    }
    expect((await this.#store.takeOutbox(taken)).repliesAdded).toBe(texts.length)
  }

  /** What the journal says became of deliveries: `text type`, in order. */
  async outcomes(): Promise<string[]> {
    const records = await this.#store.readJournal({ afterId: 0, limit: 1000 })
    return records
      .filter(({ type }) => /^reply:deliver/.test(type))
      .map(({ type, detail }) => `${String(detail.replyId)} ${type.slice('reply:'.length)}`)
  }

  /** Resolves once the journal holds exactly these outcomes. */
  async untilOutcomes(expected: readonly string[]): Promise<void> {
    await vi.waitFor(async () => expect(await this.outcomes()).toEqual(expected), { timeout: 15_000, interval: 5 })
  }

  /** The failed deliveries. */
  async dead(): Promise<Delivery[]> {
    const dead = await this.#store.listDead({ limit: 100 })
    return dead.flatMap((letter) => (letter.kind === 'delivery' ? [letter.delivery] : []))
  }

  async close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop(0)))
    await this.#store.close()
    await rm(this.#dir, { recursive: true })
  }

  async #startRun(sessionId: string) {
    const [group = ''] = sessionId.split('/')
    const nowMs = this.world.now()
    const message = {
      id: `m-${sessionId.replace('/', '-')}`,
      sessionId,
      group,
      kind: 'chat' as const,
      content: '{"text":"go"}',
      processAfterMs: nowMs,
      trigger: true,
      onWake: false,
      address: NOWHERE,
      sourceSessionId: null,
      seriesId: null,
    }
    await this.#store.accept([message], nowMs)
    const begun = await this.#store.beginRun({
      sessionId,
      runtime: 'process',
      nameOf: (epoch) => `${sessionId.replace('/', '-')}-${epoch}`,
      maxLiveRuns: 1000,
      probeForMs: 60_000,
      nowMs,
    })
    if (!begun.begun) throw new Error(begun.because)
    const run = { sessionId, epoch: begun.run.epoch, name: begun.run.name, takenSeq: -1 }
    this.#runs.set(sessionId, run)
    return run
  }
}

/** A sink that does as the test says and remembers what it was given. */
export class ScriptedSink implements Sink {
  readonly name: string
  readonly texts: string[] = []
  readonly quotes: (string | null)[] = []
  #answer: (reply: Reply, attempt: number, signal: AbortSignal) => Promise<SinkOutcome> | SinkOutcome

  constructor(name: string, answer: ScriptedSink['answer'] = () => CONFIRMED) {
    this.name = name
    this.#answer = answer
  }

  get answer() {
    return this.#answer
  }

  async deliver(reply: Reply, { attempt, quote, signal }: Attempt): Promise<SinkOutcome> {
    this.quotes.push(quote)
    this.texts.push((JSON.parse(reply.content) as { text: string }).text)
    return this.#answer(reply, attempt, signal)
  }

  entry(policy: Partial<SinkEntry['policy']> = {}): SinkEntry {
    return { sink: this, policy: { ...POLICY, ...policy } }
  }
}

/** An answer the test gives when it likes; `asked` resolves when somebody waits for it. */
export function heldAnswer(): {
  asked: Promise<void>
  give: (outcome: SinkOutcome) => void
  answer: () => Promise<SinkOutcome>
} {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { promise, resolve: give } = Promise.withResolvers<SinkOutcome>()
  const answer = () => {
    ask()
    return promise
  }
  return { asked, give, answer }
}
