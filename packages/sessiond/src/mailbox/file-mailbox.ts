import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatTimestamp, HEARTBEAT_FILE, INBOUND_DB, OUTBOUND_DB } from '@sessiond/protocol'
import type { HostConfig } from '../config/config.ts'
import type { World } from '../world.ts'
import { stampOf } from './file-stamp.ts'
import { type InboundMemory, inboundDifference, rememberInbound } from './inbound-memory.ts'
import { inboundRows } from './inbound-rows.ts'
import type { Mailbox, OutboxBatch, Projection, SessionPaths } from './mailbox.ts'
import type { InboundContent, RunUser } from './operations.ts'
import { OutboxWatcher } from './outbox-watcher.ts'
import { ReaderPool } from './reader-pool.ts'
import { SessionLanes } from './session-lanes.ts'
import { sessionPaths } from './session-paths.ts'

export interface FileMailboxOptions
  extends Pick<HostConfig['mailbox'], 'takeRows' | 'takeBytes' | 'readTimeoutMs' | 'readers' | 'pollMs'> {
  /** Absolute. */
  readonly dataDir: string
  readonly world: World
  /** An `outbound.db` or journal larger than this is not opened. @default 256 MiB */
  readonly maxFileBytes?: number
}

const MAX_FILE_BYTES = 256 * 1024 * 1024

/** The mailbox of two directories with one SQLite file each; every SQLite call is made in a reader process. */
export class FileMailbox implements Mailbox {
  readonly #options: FileMailboxOptions
  readonly #pool: ReaderPool
  readonly #lanes = new SessionLanes()
  readonly #inbound = new Map<string, InboundMemory>()
  readonly #watchers = new Set<OutboxWatcher>()
  #cancelPoll: (() => void) | null = null

  constructor(options: FileMailboxOptions) {
    this.#options = options
    this.#pool = new ReaderPool({ size: options.readers, timeoutMs: options.readTimeoutMs, world: options.world })
  }

  pathsOf(sessionId: string): SessionPaths {
    return sessionPaths(this.#options.dataDir, sessionId)
  }

  async prepare(
    projection: Projection,
    sessionState: ReadonlyMap<string, string>,
    user: RunUser | null,
  ): Promise<void> {
    const { sessionId } = projection
    const { dataDir, world } = this.#options
    const paths = this.pathsOf(sessionId)
    const inbound = inboundRows(projection)
    const stateAt = formatTimestamp(world.now())
    const input = { dataDir, paths, inbound, sessionState: [...sessionState], stateAt, user }
    await this.#lanes.run(sessionId, async () => {
      this.#forget(sessionId)
      const stamp = await this.#pool.run(sessionId, 'prepare', input)
      this.#inbound.set(sessionId, rememberInbound(inbound, stamp))
    })
  }

  async sync(projection: Projection): Promise<void> {
    const { sessionId } = projection
    const paths = this.pathsOf(sessionId)
    const inbound = inboundRows(projection)
    await this.#lanes.run(sessionId, async () => {
      const memory = this.#inbound.get(sessionId)
      // Forgotten first: whatever fails below, the next sync starts from nothing and rebuilds the file.
      this.#inbound.delete(sessionId)
      const stamp =
        (await this.#writeDifference(sessionId, paths, memory, inbound)) ??
        (await this.#pool.run(sessionId, 'rebuild', { dataDir: this.#options.dataDir, paths, inbound }))
      this.#inbound.set(sessionId, rememberInbound(inbound, stamp))
    })
  }

  take(sessionId: string, afterSeq: number): Promise<OutboxBatch> {
    return this.#take(sessionId, afterSeq, false)
  }

  async takeFinal(sessionId: string, afterSeq: number): Promise<OutboxBatch> {
    // The run is gone: nothing of its inbound.db will be synced any more.
    this.#inbound.delete(sessionId)
    return await this.#take(sessionId, afterSeq, true)
  }

  async setAside(sessionId: string, epoch: number): Promise<string | null> {
    const { dataDir } = this.#options
    return await this.#pool.run(sessionId, 'setAside', { dataDir, paths: this.pathsOf(sessionId), epoch })
  }

  async heartbeatMtimeMs(sessionId: string): Promise<number | null> {
    const path = join(this.pathsOf(sessionId).out, HEARTBEAT_FILE)
    try {
      const seen = await lstat(path)
      return seen.isFile() && Number.isFinite(seen.mtimeMs) ? seen.mtimeMs : null
    } catch {
      // Absent, or the run made it unreadable: there is no sign of life in it either way.
      return null
    }
  }

  outboxStamp(sessionId: string): Promise<string | null> {
    return stampOf(join(this.pathsOf(sessionId).out, OUTBOUND_DB))
  }

  watch(sessionId: string, onChange: () => void): () => void {
    const watcher = new OutboxWatcher(this.pathsOf(sessionId).out, this.#options.world, onChange)
    this.#watchers.add(watcher)
    this.#schedulePoll()
    return () => {
      watcher.close()
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.#stopPolling()
    }
  }

  async close(): Promise<void> {
    this.#stopPolling()
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers.clear()
    await this.#pool.close()
  }

  #take(sessionId: string, afterSeq: number, isFinal: boolean): Promise<OutboxBatch> {
    const { takeRows, takeBytes, maxFileBytes = MAX_FILE_BYTES } = this.#options
    return this.#pool.run(sessionId, 'take', {
      paths: this.pathsOf(sessionId),
      afterSeq,
      maxRows: takeRows,
      maxBytes: takeBytes,
      maxFileBytes,
      isFinal,
    })
  }

  /** Returns the stamp of a file that now holds `inbound`, or null when it must be rebuilt. */
  async #writeDifference(
    sessionId: string,
    paths: SessionPaths,
    memory: InboundMemory | undefined,
    inbound: InboundContent,
  ): Promise<string | null> {
    if (memory === undefined) return null
    const difference = inboundDifference(memory, inbound)
    if (difference !== null) {
      return await this.#pool.run(sessionId, 'sync', { paths, stamp: memory.stamp, ...difference })
    }
    return (await isUntouched(join(paths.in, INBOUND_DB), memory.stamp)) ? memory.stamp : null
  }

  #forget(sessionId: string): void {
    this.#inbound.delete(sessionId)
    this.#pool.clearSuspicion(sessionId)
  }

  #schedulePoll(): void {
    this.#cancelPoll ??= this.#options.world.setTimer(this.#options.pollMs, () => {
      this.#cancelPoll = null
      void Promise.all([...this.#watchers].map((watcher) => watcher.poll())).then(() => {
        if (this.#watchers.size > 0) this.#schedulePoll()
      })
    })
  }

  #stopPolling(): void {
    this.#cancelPoll?.()
    this.#cancelPoll = null
  }
}

/** A file as this host left it, with no journal beside it, needs no look inside. */
async function isUntouched(path: string, stamp: string): Promise<boolean> {
  // Lost counts as touched: it is rebuilt.
  if ((await stampOf(path)) !== stamp) return false
  return await lstat(`${path}-journal`).then(
    () => false,
    () => true,
  )
}
