import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { OUTBOUND_DB } from '@sessiond/protocol'
import { ScriptedRuntime, withDatabase } from '@sessiond/testkit'
import { compileConfig } from '../../src/config/compile-config.ts'
import type { HostOptions } from '../../src/config/options.ts'
import { FileMailbox } from '../../src/mailbox/file-mailbox.ts'
import type { NewMessage } from '../../src/model/message.ts'
import { DiskFloor } from '../../src/observe/disk-floor.ts'
import { RunWatches } from '../../src/observe/run-watch.ts'
import { prepareDataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { Supervisor } from '../../src/sweep/supervisor.ts'
import { realWorld, type World } from '../../src/world.ts'

/** What is free on a disk; null: it cannot be asked. */
export interface ScriptedDisk {
  freeBytes: number | null
}

export const DISK_FLOOR_BYTES = 1_000

/** The floor of a scripted disk, as a host that comes up on this store opens it. */
export function openFloor(store: SqliteStore, world: World, disk: ScriptedDisk): Promise<DiskFloor> {
  const onError = (error: unknown) => {
    throw error
  }
  const diskSpace = { freeBytes: () => Promise.resolve(disk.freeBytes) }
  return DiskFloor.open({ world, store, diskSpace, floorBytes: DISK_FLOOR_BYTES, onError })
}

interface Parts {
  readonly dataDir: string
  readonly store: SqliteStore
  readonly options: Partial<HostOptions>
  readonly world: World
  readonly disk: ScriptedDisk
  readonly diskFloor: DiskFloor
}

/** A supervisor on a real store and real mailbox files; the runtimes `process` (group g) and `docker` (d) are scripted. */
export class SupervisorFixture {
  readonly supervisor: Supervisor
  readonly store: SqliteStore
  readonly mailbox: FileMailbox
  readonly watches = new RunWatches()
  readonly process: ScriptedRuntime
  readonly docker: ScriptedRuntime
  readonly errors: unknown[] = []
  readonly disk: ScriptedDisk
  readonly #dataDir: string
  readonly #world: World

  /** `world`: what the supervisor lives in; its store's writes and the mailbox files stay in the real one. */
  static async make(options: Partial<HostOptions> = {}, world: World = realWorld): Promise<SupervisorFixture> {
    const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-supervisor-'))
    await prepareDataDir(dataDir)
    const disk: ScriptedDisk = { freeBytes: 2 ** 40 }
    const store = await openStore({ dataDir, world: realWorld })
    const diskFloor = await openFloor(store, world, disk)
    return new SupervisorFixture({ dataDir, store, options, world, disk, diskFloor })
  }

  private constructor({ dataDir, store, options, world, disk, diskFloor }: Parts) {
    this.disk = disk
    this.#world = world
    const agent = { command: ['sh'] }
    const groups = { g: { agent }, d: { agent, runtime: 'docker' as const, image: 'any' } }
    const config = compileConfig({ dataDir, groups, ...options }, { env: {}, baseDir: dataDir })
    this.#dataDir = dataDir
    this.store = store
    this.mailbox = new FileMailbox({ dataDir, world: realWorld, ...config.mailbox })
    this.process = new ScriptedRuntime('process')
    this.docker = new ScriptedRuntime('docker')
    const runtimes = new Map([this.process, this.docker].map((runtime) => [runtime.name, runtime]))
    const { mailbox, watches } = this
    this.supervisor = new Supervisor({
      deps: { config, world, store, mailbox, runtimes, watches },
      diskFloor,
      onError: (where, error) => this.errors.push([where, error]),
    })
  }

  async accept(sessionId: string, id: string, processAfterMs = this.#world.now()): Promise<NewMessage> {
    const group = sessionId.slice(0, sessionId.indexOf('/'))
    const address = { platformId: null, channelType: null, threadId: null }
    const base = { kind: 'chat', content: '{"text":"x"}', trigger: true, onWake: false } as const
    const nowMs = this.#world.now()
    const message = { ...base, id, sessionId, group, processAfterMs, address, sourceSessionId: null, seriesId: null }
    const [outcome] = await this.store.accept([message], nowMs)
    if (outcome instanceof Error) throw outcome
    return message
  }

  async send(sessionId: string, id: string): Promise<void> {
    this.supervisor.noteAccepted([await this.accept(sessionId, id)])
  }

  /** Writes to a session's outbox as its run would. */
  write(sessionId: string, work: (db: DatabaseSync) => void): void {
    withDatabase(join(this.mailbox.pathsOf(sessionId).out, OUTBOUND_DB), work)
  }

  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.store.listLiveRuns()).map((run) => [run.sessionId, run.state]))
  }

  async journal(): Promise<{ type: string; detail: Readonly<Record<string, unknown>> }[]> {
    return this.store.readJournal({ afterId: 0, limit: 1_000 })
  }

  async close(): Promise<void> {
    await this.supervisor.halt(0)
    for (const watch of this.watches.all()) watch.unwatch()
    await this.mailbox.close()
    await this.store.close()
    await rm(this.#dataDir, { recursive: true, force: true })
  }
}
