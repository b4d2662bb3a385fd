import type { EventQuery, HostEvent } from '../api.ts'
import { backoffMs } from '../decide/backoff.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

/** Lines read from the journal at a time. */
const PAGE = 500
/** A subscriber further behind than this reads the journal again instead of being fed from memory. */
const MAX_BACKLOG = 1_000
/** A journal, or a reply, that could not be read is read again this soon, then ever less often. */
const RETRY = { baseMs: 100, maxMs: 5_000 } as const

type OnRecords = (records: readonly JournalRecord[]) => void

export interface FeedDeps {
  readonly store: Pick<Store, 'readJournal' | 'lastJournalId' | 'onJournal' | 'getReplies'>
  readonly world: Pick<World, 'setTimer'>
}

interface Subscriber {
  readonly sessionId: string | undefined
  /** Lines without their replies: a thousand of those could be a gigabyte. */
  backlog: JournalRecord[]
  /** True while events may be missing from the backlog: the journal has to be read from `lastId`. */
  hasGap: boolean
  wake: () => void
}

/**
 * Hands journal lines to subscribers as they are committed: one read of the journal per commit for all of them.
 * A subscriber that falls behind is switched back to reading the journal, and a reply is read when its turn comes, so
 * that nobody's slowness costs memory.
 */
export class EventFeed {
  readonly #store: Pick<Store, 'readJournal' | 'getReplies'>
  readonly #world: Pick<World, 'setTimer'>
  readonly #subscribers = new Set<Subscriber>()
  readonly #stopListening: () => void
  #lastId: number
  #newestId: number
  #isReading = false
  #isStopped = false
  /** Reads in a row that failed. */
  #failures = 0
  #cancelRetry: () => void = () => {}
  readonly #onRecords: OnRecords

  private constructor({ store, world }: FeedDeps, lastId: number, onRecords: OnRecords) {
    this.#store = store
    this.#world = world
    this.#lastId = lastId
    this.#newestId = lastId
    this.#onRecords = onRecords
    this.#stopListening = store.onJournal((newestId) => {
      this.#newestId = newestId
      void this.#read()
    })
  }

  /** `onRecords` gets every new line too, once, in order. */
  static async open(deps: FeedDeps, onRecords: OnRecords): Promise<EventFeed> {
    return new EventFeed(deps, await deps.store.lastJournalId(), onRecords)
  }

  /** Every event after `afterId` (absent: from now on), then live ones, until aborted or stopped. */
  async *subscribe(query: EventQuery): AsyncGenerator<HostEvent> {
    const subscriber: Subscriber = { sessionId: query.sessionId, backlog: [], hasGap: true, wake: () => {} }
    let afterId = query.afterId ?? this.#lastId
    const abort = () => subscriber.wake()
    query.signal?.addEventListener('abort', abort)
    this.#subscribers.add(subscriber)
    try {
      while (!this.#isOver(query.signal)) {
        const records = await this.#next(subscriber, afterId)
        for (const record of records) {
          if (record.id <= afterId) continue
          const event = await this.#withReply(record, subscriber, query.signal)
          if (event === null) return
          afterId = event.id
          yield event
          if (this.#isOver(query.signal)) return
        }
        if (records.length === 0) await this.#whenWoken(subscriber, query.signal)
      }
    } finally {
      this.#subscribers.delete(subscriber)
      query.signal?.removeEventListener('abort', abort)
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#stopListening()
    this.#cancelRetry()
    for (const subscriber of this.#subscribers) subscriber.wake()
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#isStopped || signal?.aborted === true
  }

  async #next(subscriber: Subscriber, afterId: number): Promise<JournalRecord[]> {
    if (!subscriber.hasGap) return subscriber.backlog.splice(0)
    // Cleared before the read: a line committed while we read lands in the backlog, and is told twice rather than never.
    subscriber.hasGap = false
    subscriber.backlog = []
    const { sessionId } = subscriber
    const query = { afterId, limit: PAGE, ...(sessionId === undefined ? {} : { sessionId }) }
    const records = await this.#store.readJournal(query)
    if (records.length === PAGE) subscriber.hasGap = true
    return records
  }

  #whenWoken(subscriber: Subscriber, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      subscriber.wake = resolve
      if (this.#isOver(signal) || subscriber.backlog.length > 0 || subscriber.hasGap) resolve()
    })
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#isStopped) return
    this.#isReading = true
    this.#cancelRetry()
    try {
      // A commit that comes while we read moves the goal; without one, the last page is not followed by an empty one.
      while (this.#lastId < this.#newestId) {
        const records = await this.#store.readJournal({ afterId: this.#lastId, limit: PAGE })
        const last = records.at(-1)
        if (last === undefined) break
        this.#lastId = last.id
        this.#onRecords(records)
        this.#feed(records)
      }
      this.#failures = 0
      // Who was waiting while a read failed catches up from its own cursor.
      for (const subscriber of this.#subscribers) if (subscriber.hasGap) subscriber.wake()
    } catch {
      // An unreadable journal (store closing, disk trouble) shows in health. Nobody is woken to fail at it too.
      for (const subscriber of this.#subscribers) subscriber.hasGap = true
      this.#retryLater()
    } finally {
      this.#isReading = false
    }
  }

  /** The last commit before a silence must not wait for the next one: a reply's way out begins with this read. */
  #retryLater(): void {
    if (this.#isStopped) return
    this.#cancelRetry = this.#world.setTimer(backoffMs(RETRY, this.#failures, 0), () => void this.#read())
    this.#failures += 1
  }

  #feed(records: readonly JournalRecord[]): void {
    for (const subscriber of this.#subscribers) {
      const { sessionId } = subscriber
      const wanted = sessionId === undefined ? records : records.filter((record) => record.sessionId === sessionId)
      if (wanted.length === 0) continue
      if (subscriber.backlog.length + wanted.length > MAX_BACKLOG) {
        subscriber.backlog = []
        subscriber.hasGap = true
      } else if (!subscriber.hasGap) subscriber.backlog.push(...wanted)
      subscriber.wake()
    }
  }

  /** The event a line makes, told late rather than without its reply; null once nobody wants it any more. */
  async #withReply(
    record: JournalRecord,
    subscriber: Subscriber,
    signal: AbortSignal | undefined,
  ): Promise<HostEvent | null> {
    const replyId = replyIdOf(record)
    if (replyId === null) return record
    for (let failures = 0; ; failures += 1) {
      try {
        const [reply] = await this.#store.getReplies([replyId])
        return reply === undefined ? record : { ...record, reply }
      } catch {
        // What is wrong with the store shows in health.
        if (this.#isOver(signal)) return null
        await this.#rest(subscriber, backoffMs(RETRY, failures, 0))
        if (this.#isOver(signal)) return null
      }
    }
  }

  /** Waits, but no longer than until there is something new, or an end. */
  #rest(subscriber: Subscriber, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#world.setTimer(ms, resolve)
      subscriber.wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

function replyIdOf(record: JournalRecord): string | null {
  const { replyId } = record.detail
  return record.type === 'reply:written' && typeof replyId === 'string' ? replyId : null
}
