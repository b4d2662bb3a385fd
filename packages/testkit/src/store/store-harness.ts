import { afterEach, beforeEach } from 'vitest'
import type {
  EndRun,
  JournalRecord,
  Message,
  NewMessage,
  NewReply,
  Run,
  RunKey,
  Settlement,
  Store,
  TakeOutbox,
} from '../../../sessiond/src/ports.ts'
import { PROVIDER } from '../provider-policy.ts'

/** What the suite needs of an adapter; made anew, and empty, for every test. */
export interface StoreHarness {
  readonly store: Store
  /** Closes the store and opens the same data again, as after a restart. */
  reopen(): Promise<Store>
  /** Closes what is open and deletes the data. */
  dispose(): Promise<void>
}

export type MakeStoreHarness = () => Promise<StoreHarness>

export const NOW = Date.parse('2030-01-01T00:00:00Z')
export const WINDOW = { messages: 32, bytes: 1_000_000 }
export const SINKS = ['hook'] as const

const ADDRESS = { platformId: 'p', channelType: 'c', threadId: 't' }

/** Opens a fresh store before each test and closes it after. */
export function useStore(makeHarness: MakeStoreHarness): StoreSteps {
  const steps = new StoreSteps()
  beforeEach(async () => steps.begin(await makeHarness()))
  afterEach(() => steps.end())
  return steps
}

/** The steps tests are told in; each is one or two calls of the port. */
export class StoreSteps {
  #harness: StoreHarness | undefined
  #store: Store | undefined
  #made = 0

  begin(harness: StoreHarness): void {
    this.#harness = harness
    this.#store = harness.store
    this.#made = 0
  }

  async end(): Promise<void> {
    await this.#harness?.dispose()
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('no store is open')
    return this.#store
  }

  async reopen(): Promise<void> {
    if (this.#harness === undefined) throw new Error('no store is open')
    this.#store = await this.#harness.reopen()
  }

  newMessage(changes: Partial<NewMessage> = {}): NewMessage {
    this.#made += 1
    const sessionId = changes.sessionId ?? 'g/main'
    return {
      id: `m${this.#made}`,
      sessionId,
      group: sessionId.slice(0, sessionId.indexOf('/')),
      kind: 'chat',
      content: '{"text":"hello"}',
      processAfterMs: NOW,
      trigger: true,
      onWake: false,
      address: ADDRESS,
      sourceSessionId: null,
      seriesId: null,
      ...changes,
    }
  }

  /** Accepts one message and returns its id. */
  async send(changes: Partial<NewMessage> = {}, nowMs: number = NOW): Promise<string> {
    const message = this.newMessage(changes)
    const [outcome] = await this.store.accept([message], nowMs)
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no outcome')
    return message.id
  }

  async message(id: string): Promise<Message> {
    const message = await this.store.getMessage(id)
    if (message === null) throw new Error(`no message ${id}`)
    return message
  }

  /** Begins a run of a session that has due work. */
  async begin1(sessionId = 'g/main', nowMs: number = NOW): Promise<Run> {
    const nameOf = (epoch: number) => `${sessionId.replace('/', '-')}-${epoch}`
    const result = await this.store.beginRun({
      sessionId,
      runtime: 'process',
      nameOf,
      maxLiveRuns: 100,
      probeForMs: 60_000,
      nowMs,
    })
    if (!result.begun) throw new Error(`not begun: ${result.because}`)
    return result.run
  }

  /** Begins and starts a run and hands it all it may have. */
  async startRun(sessionId = 'g/main', nowMs: number = NOW): Promise<Run> {
    const run = await this.begin1(sessionId, nowMs)
    await this.store.recordRunHandle(keyOf(run), { runtime: 'process', id: `handle-${run.name}` })
    await this.store.fillWindow(keyOf(run), nowMs, WINDOW, true)
    await this.store.recordRunStarted(keyOf(run), nowMs)
    return run
  }

  /** Takes settlements, replies and the like from a run. */
  take(run: Run, changes: Partial<TakeOutbox> = {}) {
    return this.store.takeOutbox({
      run: keyOf(run),
      nowMs: NOW,
      settlements: [],
      countedAcks: [],
      requests: [],
      replies: [],
      takenSeq: 0,
      sessionState: [],
      sinks: SINKS,
      provider: PROVIDER,
      journal: [],
      ...changes,
    })
  }

  end1(run: Run, changes: Partial<EndRun> = {}) {
    return this.store.endRun({
      run: keyOf(run),
      nowMs: NOW,
      end: 'exited',
      exit: { code: 1, signal: null, oomKilled: false },
      settlements: [],
      sinks: SINKS,
      provider: PROVIDER,
      spawnFailure: null,
      journal: [],
      ...changes,
    })
  }

  /** Sends a message, hands it to a fresh run and has it claimed. */
  async claimOne(changes: Partial<NewMessage> = {}): Promise<{ id: string; run: Run; message: Message }> {
    const id = await this.send(changes)
    const run = await this.startRun(changes.sessionId)
    await this.take(run, { settlements: [claimed(await this.message(id))] })
    return { id, run, message: await this.message(id) }
  }

  async lines(filter: { type?: string; sessionId?: string; messageId?: string } = {}): Promise<JournalRecord[]> {
    const { type, ...query } = filter
    const records = await this.store.readJournal({ afterId: 0, limit: 10_000, ...query })
    return type === undefined ? records : records.filter((record) => record.type === type)
  }
}

export function keyOf(run: RunKey): RunKey {
  return { sessionId: run.sessionId, epoch: run.epoch, name: run.name }
}

type Held = Pick<Message, 'id' | 'attempt'>

export function claimed({ id, attempt }: Held): Settlement {
  return { messageId: id, attempt, to: 'claimed' }
}

export function completed({ id, attempt }: Held): Settlement {
  return { messageId: id, attempt, to: 'completed' }
}

export function retried({ id, attempt }: Held, changes: Partial<Settlement & { to: 'retry' }> = {}): Settlement {
  const retry = { to: 'retry', spendsTry: true, isSuspect: false, processAfterMs: NOW + 5_000 } as const
  return { messageId: id, attempt, ...retry, error: 'boom', because: 'exited', ...changes }
}

export function failed({ id, attempt }: Held, changes: Partial<Settlement & { to: 'failed' }> = {}): Settlement {
  return {
    messageId: id,
    attempt,
    to: 'failed',
    spendsTry: true,
    failure: 'TRIES_EXHAUSTED',
    error: 'boom',
    because: 'agent-failed',
    deadLetter: true,
    tell: 'It could not be done.',
    ...changes,
  }
}

export function reply(seq: number, changes: Partial<NewReply> = {}): NewReply {
  return {
    id: `r${seq}`,
    seq,
    inReplyTo: null,
    kind: 'chat',
    content: '{"text":"hi"}',
    deliverAfterMs: NOW,
    address: ADDRESS,
    ...changes,
  }
}
