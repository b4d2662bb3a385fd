import type { Message, NewMessage } from '../src/model/message.ts'
import { prepareDataDir } from '../src/store/data-dir.ts'
import { openStore } from '../src/store/sqlite/open-store.ts'
import type { RunKey, Store } from '../src/store/store.ts'
import { realWorld } from '../src/world.ts'

/** Messages of one store operation. */
const BULK = 1_000

/** Registers sessions with one finished message each, in a data directory no host has open. */
export function registerSessions(dataDir: string, group: string, count: number): Promise<void> {
  return fill(dataDir, count, async (store, indexes, nowMs) => {
    const messages = indexes.map((index) => newMessage(group, `idle-${index}`, index, nowMs))
    await acceptAll(store, messages, nowMs)
    await Promise.all(messages.map((message) => store.requestCancel(message.id, nowMs)))
  })
}

/** Gives a session a history: messages claimed, answered, completed and their replies delivered to the sinks. */
export async function addHistory(
  dataDir: string,
  session: { readonly group: string; readonly name: string; readonly sinks: readonly string[] },
  count: number,
): Promise<void> {
  const { group, name, sinks } = session
  await fill(dataDir, count, async (store, indexes, nowMs) => {
    const messages = indexes.map((index) => newMessage(group, name, index, nowMs))
    await acceptAll(store, messages, nowMs)
    await finishAll(store, `${group}/${name}`, sinks, nowMs)
    const recorded = await Promise.all(
      sinks.length === 0
        ? []
        : indexes.map((index) =>
            store.recordDelivery(index + 1, 1, { to: 'delivered', platformMessageId: null }, nowMs),
          ),
    )
    if (recorded.includes(false)) throw new Error('A delivery of the history was not there to be recorded')
  })
}

async function fill(
  dataDir: string,
  count: number,
  addSome: (store: Store, indexes: readonly number[], nowMs: number) => Promise<void>,
): Promise<void> {
  await prepareDataDir(dataDir)
  const store = await openStore({ dataDir, world: realWorld })
  try {
    for (let from = 0; from < count; from += BULK) {
      const indexes = Array.from({ length: Math.min(BULK, count - from) }, (_, offset) => from + offset)
      await addSome(store, indexes, Date.now())
    }
  } finally {
    await store.close()
  }
}

async function acceptAll(store: Store, messages: readonly NewMessage[], nowMs: number): Promise<void> {
  const refused = (await store.accept(messages, nowMs)).find((outcome) => outcome instanceof Error)
  if (refused !== undefined) throw refused
}

/** One run that claims, answers and completes everything that is due. */
async function finishAll(store: Store, sessionId: string, sinks: readonly string[], nowMs: number): Promise<void> {
  const nameOf = (epoch: number) => `history-${epoch}`
  const begun = await store.beginRun({
    sessionId,
    runtime: 'process',
    nameOf,
    maxLiveRuns: 1,
    probeForMs: 60_000,
    nowMs,
  })
  if (!begun.begun) throw new Error(`No run could begin: ${begun.because}`)
  const { name, epoch } = begun.run
  const run: RunKey = { sessionId, epoch, name }
  await store.recordRunStarted(run, nowMs)
  const messages = (await store.fillWindow(run, nowMs, { messages: BULK, bytes: 64 * 1024 * 1024 }, true)) ?? []
  const provider = { maxParkMs: 0, waitMs: 0, maxWaitMs: 0, ramp: 1, openFrom: 1 }
  const taken = { run, nowMs, sinks, provider, countedAcks: [], requests: [], sessionState: [], journal: [] }
  const settle = (to: 'claimed' | 'completed') => messages.map(({ id, attempt }) => ({ messageId: id, attempt, to }))
  await store.takeOutbox({ ...taken, settlements: settle('claimed'), replies: [], takenSeq: 0 })
  const replies = messages.map((message, index) => replyTo(message, 2 * index + 1, nowMs))
  await store.takeOutbox({ ...taken, settlements: settle('completed'), replies, takenSeq: 2 * messages.length })
  const exit = { code: 0, signal: null, oomKilled: false }
  await store.endRun({
    run,
    nowMs,
    end: 'idle',
    exit,
    settlements: [],
    sinks,
    provider,
    spawnFailure: null,
    journal: [],
  })
}

function replyTo({ id, address }: Message, seq: number, nowMs: number) {
  const content = JSON.stringify({ text: `The answer to ${id}.` })
  return { id: `r-${id}`, seq, inReplyTo: id, kind: 'chat' as const, content, deliverAfterMs: nowMs, address }
}

function newMessage(group: string, session: string, index: number, nowMs: number): NewMessage {
  return {
    id: `history-${session}-${index}`,
    sessionId: `${group}/${session}`,
    group,
    kind: 'chat',
    content: JSON.stringify({ text: `Please look at item ${index}.` }),
    processAfterMs: nowMs,
    trigger: true,
    onWake: false,
    address: { platformId: null, channelType: null, threadId: null },
    sourceSessionId: null,
    seriesId: null,
  }
}
