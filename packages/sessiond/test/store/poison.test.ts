import { PROVIDER } from '@sessiond/testkit'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideBatch } from '../../src/decide/decide-batch.ts'
import { settlementOf } from '../../src/decide/decide-outbox.ts'
import type { Mishap } from '../../src/decide/decide-retry.ts'
import type { Message } from '../../src/model/message.ts'
import { Database } from '../../src/store/sqlite/database.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { RunKey } from '../../src/store/store.ts'
import { newMessage } from './messages.ts'

const SESSION = 'g/main'
const MAX_STEPS = 1_000

interface Scene {
  readonly messages: number
  readonly guilty: ReadonlySet<number>
  readonly maxTries: number
  readonly jitter: 'none' | 'full'
  /** A message is sent this long after the one before. */
  readonly gapsMs: readonly number[]
  /** Every n-th message is context only; 0: none. */
  readonly contextEvery: number
  /** True: the agent fails the whole batch and its run lives on; false: the run dies. */
  readonly failsTogether: boolean
}

/** What a batch agent that dies of some messages comes to, on the real store and the real decisions, in virtual time. */
async function simulate(scene: Scene): Promise<{ failed: string[]; open: string[]; deaths: number; order: string[] }> {
  const db = new Database(':memory:', { readOnly: false, busyTimeoutMs: 0 })
  migrate(db, () => 'i1')
  let made = 0
  const newId = (prefix: string) => `${prefix}${++made}`
  const store = new SqliteStore(db, '/nowhere', { newId, defer: queueMicrotask })
  const policy = { ...scene, baseMs: 1_000, maxMs: 60_000, maxDeferMs: 1_000 }
  const isContext = (index: number) => scene.contextEvery > 0 && index % scene.contextEvery === 0
  let nowMs = 1_000
  let sent = 0
  let nextSendMs = nowMs
  let random = 0.1
  let deaths = 0
  const order: string[] = []

  const sendDue = async () => {
    for (; sent < scene.messages && nextSendMs <= nowMs; sent += 1) {
      const message = { ...newMessage(`m${sent}`, SESSION), processAfterMs: nowMs, trigger: !isContext(sent) }
      await store.accept([message], nowMs)
      nextSendMs += scene.gapsMs[sent % scene.gapsMs.length] ?? 0
    }
  }
  const isGuilty = ({ id, trigger }: Message) => trigger && scene.guilty.has(Number(id.slice(1)))
  const runOnce = async (run: RunKey): Promise<void> => {
    for (let isFirstLook = true; ; isFirstLook = false) {
      await sendDue()
      const batch = (await store.fillWindow(run, nowMs, { messages: 32, bytes: 1_000_000 }, isFirstLook)) ?? []
      if (!batch.some((message) => message.trigger)) return
      if (batch.filter(({ trigger }) => trigger).length > 1)
        expect(batch.some(({ isSuspect }) => isSuspect)).toBe(false)
      const claims = batch.map(({ id, attempt }) => ({ messageId: id, attempt, to: 'claimed' as const }))
      const taken = {
        run,
        nowMs,
        provider: PROVIDER,
        countedAcks: [],
        requests: [],
        replies: [],
        takenSeq: 0,
        sessionState: [],
        sinks: [],
        journal: [],
      }
      await store.takeOutbox({ ...taken, settlements: claims })
      if (!batch.some(isGuilty)) {
        order.push(...batch.map(({ id }) => id))
        await store.takeOutbox({
          ...taken,
          settlements: claims.map((claim) => ({ ...claim, to: 'completed' as const })),
        })
        continue
      }
      deaths += 1
      random = (random * 7 + 0.3) % 1
      const exit = { code: 1, signal: null, oomKilled: false }
      const mishap: Mishap = scene.failsTogether
        ? { kind: 'agent-failed', error: 'boom', retryAtMs: null, trouble: null, answers: 0 }
        : { kind: 'run-ended', end: 'exited', exit, isExcused: false, tool: null, sharedStall: null }
      const decisions = decideBatch(batch, mishap, policy, nowMs, random)
      const settlements = batch.flatMap((message) => {
        const decision = decisions.get(message.id)
        return decision === undefined ? [] : [settlementOf(message, decision)]
      })
      if (!scene.failsTogether) {
        await store.endRun({
          run,
          nowMs,
          end: 'exited',
          exit,
          settlements,
          sinks: [],
          provider: PROVIDER,
          spawnFailure: null,
          journal: [],
        })
        return
      }
      await store.takeOutbox({ ...taken, settlements })
    }
  }

  try {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      await sendDue()
      const nameOf = (epoch: number) => `run-${epoch}`
      const begun = await store.beginRun({
        sessionId: SESSION,
        runtime: 'process',
        nameOf,
        maxLiveRuns: 9,
        probeForMs: 60_000,
        nowMs,
      })
      if (begun.begun) {
        await runOnce(begun.run)
        const end = {
          nowMs,
          end: 'idle',
          exit: null,
          settlements: [],
          sinks: [],
          provider: PROVIDER,
          spawnFailure: null,
          journal: [],
        } as const
        await store.endRun({ run: begun.run, ...end })
      }
      if ((await store.listWaiting(nowMs, 1)).length > 0) continue
      const dueMs = await store.nextDueAtMs(nowMs)
      if (dueMs === null && sent === scene.messages) break
      nowMs = Math.min(dueMs ?? nextSendMs, sent < scene.messages ? nextSendMs : Number.POSITIVE_INFINITY)
    }
    const messages = await store.listMessages({ sessionId: SESSION, limit: 1_000 })
    return {
      failed: messages.filter(({ status }) => status === 'failed').map(({ id }) => id),
      open: messages.filter(({ status, trigger }) => trigger && status === 'pending').map(({ id }) => id),
      deaths,
      order,
    }
  } finally {
    await store.close()
  }
}

/** At most two deaths beside others; then alone until its tries are over, but once alone in any case. */
function deathsOfOne(maxTries: number): number {
  return Math.max(maxTries, Math.min(maxTries, 2) + 1)
}

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    messages: fc.integer({ min: 1, max: 12 }),
    guilty: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 3 }),
    maxTries: fc.integer({ min: 1, max: 7 }),
    jitter: fc.constantFrom('none' as const, 'full' as const),
    gapsMs: fc.array(fc.constantFrom(0, 0, 0, 500, 5_000, 60_000), { minLength: 1, maxLength: 5 }),
    contextEvery: fc.constantFrom(0, 2, 3),
    failsTogether: fc.boolean(),
  })
  .map((scene) => ({ ...scene, guilty: new Set(scene.guilty.map((index) => index % scene.messages)) }))

test('of the messages that brought a batch down only the guilty ones end failed, within a stated number of deaths', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const isContext = (index: number) => scene.contextEvery > 0 && index % scene.contextEvery === 0
      const guilty = [...scene.guilty].filter((index) => !isContext(index))
      const { failed, open, deaths } = await simulate(scene)
      // Context that died with one guilty message after the other looks guilty itself; nobody waits for an answer to it.
      const told = guilty.length > 1 ? failed.filter((id) => !isContext(Number(id.slice(1)))) : failed
      expect(told.sort()).toEqual(guilty.map((index) => `m${index}`).sort())
      expect(open).toEqual([])
      expect(deaths).toBeLessThanOrEqual(guilty.length * deathsOfOne(scene.maxTries))
    }),
    { numRuns: 150 },
  )
}, 60_000)

test('innocents keep their order among themselves when all was sent at once', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const { order } = await simulate({ ...scene, gapsMs: [0], contextEvery: 0 })
      expect(order).toEqual([...order].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))))
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('five deaths used to take the whole batch along: now the innocents of it complete after two', async () => {
  const scene = {
    messages: 5,
    guilty: new Set([2]),
    maxTries: 5,
    jitter: 'none',
    gapsMs: [0],
    contextEvery: 0,
  } as const
  const { failed, deaths, order } = await simulate({ ...scene, failsTogether: false })
  expect({ failed, deaths }).toEqual({ failed: ['m2'], deaths: 5 })
  expect(order).toEqual(['m0', 'm1', 'm3', 'm4'])
})
