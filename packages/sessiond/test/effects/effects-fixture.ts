import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { OUTBOUND_DB } from '@sessiond/protocol'
import { PROVIDER, ScriptedRuntime, withDatabase } from '@sessiond/testkit'
import { compileConfig } from '../../src/config/compile-config.ts'
import { keyOf } from '../../src/effects/deps.ts'
import type { StartDeps } from '../../src/effects/start-run.ts'
import { startRun } from '../../src/effects/start-run.ts'
import { FileMailbox } from '../../src/mailbox/file-mailbox.ts'
import type { Message } from '../../src/model/message.ts'
import type { Run } from '../../src/model/run.ts'
import { RunWatches } from '../../src/observe/run-watch.ts'
import { prepareDataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'

export const SESSION = 'g/main'

/** Effects on a real store and real mailbox files; only the runtime is scripted. */
export interface EffectsFixture {
  readonly deps: StartDeps & { readonly store: Store; readonly mailbox: FileMailbox }
  readonly runtime: ScriptedRuntime
  readonly group: NonNullable<ReturnType<StartDeps['config']['groups']['get']>>
  /** The fixture's world, whose boundaries a test may fill. */
  readonly world: { boundary: (name: string) => void | Promise<void> }
  /** Writes to the outbox as the run would. */
  write(work: (db: DatabaseSync) => void): void
  send(id: string): Promise<void>
  /** Starts the next run through the effect and returns it as the store has it. */
  start(): Promise<Run>
  liveRun(): Promise<Run>
  message(id: string): Promise<Message>
  /** Ends a run behind the back of whoever still holds its row. */
  endBehindTheBack(run: Run): Promise<void>
  journalTypes(): Promise<string[]>
  close(): Promise<void>
}

export async function makeEffectsFixture(): Promise<EffectsFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-effects-'))
  const options = { dataDir, groups: { g: { agent: { command: ['sh'] } } } }
  const config = compileConfig(options, { env: {}, baseDir: dataDir })
  await prepareDataDir(dataDir)
  const store = await openStore({ dataDir, world: realWorld })
  const mailbox = new FileMailbox({ dataDir, world: realWorld, ...config.mailbox })
  const runtime = new ScriptedRuntime()
  const world = { ...realWorld, boundary: (_name: string): void | Promise<void> => {} }
  const runtimes = new Map([['process', runtime]])
  const watches = new RunWatches()
  const deps = { config, world, store, mailbox, runtimes, watches, onOutboxChange: () => {}, lossesOf: () => 0 }
  const group = config.groups.get('g')
  if (group === undefined) throw new Error('the group is configured above')

  const fixture: EffectsFixture = {
    deps,
    runtime,
    group,
    world,
    write: (work) => withDatabase(join(mailbox.pathsOf(SESSION).out, OUTBOUND_DB), work),
    async send(id) {
      const address = { platformId: null, channelType: null, threadId: null }
      const nowMs = Date.now()
      const base = { kind: 'chat', content: '{"text":"x"}', trigger: true, onWake: false } as const
      const message = {
        ...base,
        id,
        sessionId: SESSION,
        group: 'g',
        processAfterMs: nowMs,
        address,
        sourceSessionId: null,
        seriesId: null,
      }
      const [outcome] = await store.accept([message], nowMs)
      if (outcome instanceof Error) throw outcome
    },
    async start() {
      const { done, outcome } = await startRun(deps, SESSION, group)
      if (!done) throw new Error(outcome)
      return fixture.liveRun()
    },
    async liveRun() {
      const run = (await store.readFacts(SESSION, Date.now()))?.run
      if (run == null) throw new Error('no live run')
      return run
    },
    async message(id) {
      const message = await store.getMessage(id)
      if (message === null) throw new Error(`no message ${id}`)
      return message
    },
    async endBehindTheBack(run) {
      await store.endRun({
        run: keyOf(run),
        nowMs: Date.now(),
        end: 'exited',
        exit: null,
        settlements: [],
        sinks: [],
        provider: PROVIDER,
        spawnFailure: null,
        journal: [],
      })
    },
    journalTypes: async () => (await store.readJournal({ afterId: 0, limit: 1_000 })).map((record) => record.type),
    async close() {
      for (const watch of watches.all()) watch.unwatch()
      await mailbox.close()
      await store.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return fixture
}
