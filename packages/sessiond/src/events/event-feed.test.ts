import { FakeWorld, settle } from '@sessiond/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { HostEvent } from '../api.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Store } from '../store/store.ts'
import { EventFeed } from './event-feed.ts'

/** A journal in memory whose reads fail as often as it is told to. */
class Journal {
  readonly lines: JournalRecord[] = []
  readsToFail = 0
  reads = 0
  #listener: (lastId: number) => void = () => {}

  commit(sessionId = 'g/s'): void {
    const id = this.lines.length + 1
    const line = { id, type: 'message:accepted', atMs: 0, sessionId, epoch: null, messageId: null, detail: {} } as const
    this.lines.push(line)
    this.#listener(id)
  }

  commitReply(replyId: string): void {
    const id = this.lines.length + 1
    const line = { id, atMs: 0, sessionId: 'g/s', epoch: 1, messageId: null, detail: { replyId } }
    this.lines.push({ ...line, type: 'reply:written' })
    this.#listener(id)
  }

  readonly store: Pick<Store, 'readJournal' | 'lastJournalId' | 'onJournal' | 'getReplies'> = {
    readJournal: async ({ afterId, sessionId, limit }) => {
      this.reads += 1
      if (this.readsToFail > 0) {
        this.readsToFail -= 1
        throw new Error('the disk gave no answer')
      }
      const isWanted = (line: JournalRecord) => sessionId === undefined || line.sessionId === sessionId
      return this.lines.filter((line) => line.id > afterId && isWanted(line)).slice(0, limit)
    },
    lastJournalId: async () => this.lines.length,
    onJournal: (listener) => {
      this.#listener = listener
      return () => {}
    },
    getReplies: async () => [],
  }
}

let world: FakeWorld
let journal: Journal
let feed: EventFeed
/** What the host was told of. */
let told: number[]
beforeEach(async () => {
  world = new FakeWorld()
  journal = new Journal()
  told = []
  feed = await EventFeed.open({ store: journal.store, world }, (records) => told.push(...records.map(({ id }) => id)))
})

/** Subscribes and collects the ids it is given. */
async function subscribe(sessionId?: string): Promise<number[]> {
  const ids: number[] = []
  const collect = async (events: AsyncIterable<HostEvent>) => {
    for await (const { id } of events) ids.push(id)
  }
  void collect(feed.subscribe(sessionId === undefined ? {} : { sessionId }))
  await settle()
  return ids
}

describe('EventFeed', () => {
  it('hands on each line once, in order, to the host and to who asked for it', async () => {
    const [all, some] = [await subscribe(), await subscribe('g/other')]
    journal.commit()
    journal.commit('g/other')
    await settle()
    expect({ told, all, some }).toEqual({ told: [1, 2], all: [1, 2], some: [2] })
  })

  it('tells of the last commit before a silence though its read failed', async () => {
    const seen = await subscribe()
    journal.readsToFail = 1
    journal.commit()
    await settle()
    expect({ told, seen }).toEqual({ told: [], seen: [] })
    await world.advance(100)
    expect({ told, seen }).toEqual({ told: [1], seen: [1] })
    expect(world.timerCount()).toBe(0)
  })

  it('catches a subscriber up whose line was read but whose reply was not', async () => {
    const seen = await subscribe()
    let isFailing = true
    journal.store.getReplies = async () => {
      if (isFailing) throw new Error('the disk gave no answer')
      return []
    }
    const line = { id: 1, atMs: 0, sessionId: 'g/s', epoch: 1, messageId: null, detail: { replyId: 'r' } }
    journal.lines.push({ ...line, type: 'reply:written' })
    journal.commit()
    await settle()
    expect({ told, seen }).toEqual({ told: [1, 2], seen: [] })
    isFailing = false
    await world.advance(100)
    expect({ told, seen }).toEqual({ told: [1, 2], seen: [1, 2] })
  })

  it('reads one reply at a time, when its turn comes: who never reads holds none', async () => {
    const asked: string[] = []
    journal.store.getReplies = async (ids) => {
      asked.push(...ids)
      return []
    }
    const reading = feed.subscribe({})[Symbol.asyncIterator]()
    const first = reading.next()
    await settle()
    for (let nth = 1; nth <= 3; nth += 1) journal.commitReply(`r${nth}`)
    expect((await first).value).toMatchObject({ detail: { replyId: 'r1' } })
    await settle()
    expect({ told, asked }).toEqual({ told: [1, 2, 3], asked: ['r1'] })
    await reading.next()
    expect(asked).toEqual(['r1', 'r2'])
    await reading.return?.(undefined)
  })

  it('lets go of a subscriber whose reply cannot be read once the feed is stopped', async () => {
    journal.store.getReplies = () => Promise.reject(new Error('the disk gave no answer'))
    const reading = feed.subscribe({})[Symbol.asyncIterator]()
    const first = reading.next()
    await settle()
    journal.commitReply('r1')
    await settle()
    expect(world.timerCount()).toBe(1)
    feed.stop()
    expect(await first).toEqual({ done: true, value: undefined })
    expect(world.timerCount()).toBe(0)
  })

  it('asks a journal that stays unreadable ever less often, and at once when there is a commit', async () => {
    journal.readsToFail = Number.POSITIVE_INFINITY
    journal.commit()
    await settle()
    await world.advance(60_000)
    // After 100 ms, doubling up to 5 s: 6 times in 6.3 s, then every 5 s.
    expect(journal.reads).toBe(1 + 6 + 10)
    journal.readsToFail = 0
    journal.commit()
    await settle()
    expect(told).toEqual([1, 2])
    expect(world.timerCount()).toBe(0)
  })

  it('asks no more once it is stopped', async () => {
    journal.readsToFail = 1
    journal.commit()
    await settle()
    feed.stop()
    await world.advance(60_000)
    expect(journal.reads).toBe(1)
  })
})
