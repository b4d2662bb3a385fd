import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { OUTBOUND_DB } from '@sessiond/protocol'
import type { World } from '../world.ts'
import { Coalescer } from './coalescer.ts'
import { stampOf } from './file-stamp.ts'

const JOURNAL = `${OUTBOUND_DB}-journal`
/** Notifications of one session in a second before its watch is closed: an honest runner stays far below. */
const MAX_EVENTS = 5_000
/** How long a session is only polled after a flood or after notifications failed. */
const RETRY_MS = 10_000

/** Watches one session's `out/`: by notification while that works, and whenever `poll` is called. */
export class OutboxWatcher {
  readonly #outDir: string
  readonly #world: World
  readonly #calls: Coalescer
  #watcher: FSWatcher | null = null
  #retryAtMs = 0
  #windowEndsMs = 0
  #events = 0
  #stamp: string | null | undefined
  #isPolling = false
  #isClosed = false

  constructor(outDir: string, world: World, onChange: () => void) {
    this.#outDir = outDir
    this.#world = world
    this.#calls = new Coalescer(world, onChange)
    this.#listen()
    void this.poll()
  }

  /** Compares the file's stamp with the last one seen; never throws. */
  async poll(): Promise<void> {
    if (this.#isPolling || this.#isClosed) return
    if (this.#watcher === null && this.#world.monotonicMs() >= this.#retryAtMs) this.#listen()
    this.#isPolling = true
    const stamp = await stampOf(join(this.#outDir, OUTBOUND_DB))
    this.#isPolling = false
    const isFirst = this.#stamp === undefined
    if (stamp === this.#stamp || this.#isClosed) return
    this.#stamp = stamp
    if (!isFirst) this.#calls.soon()
  }

  close(): void {
    this.#isClosed = true
    this.#unlisten()
    this.#calls.close()
  }

  #listen(): void {
    try {
      const watcher = watch(this.#outDir, { persistent: false }, (type, name) => this.#onEvent(type, name))
      watcher.on('error', () => this.#fallBack())
      this.#watcher = watcher
    } catch {
      // No directory yet, or no notifications to be had (their number is limited): polling goes on.
      this.#fallBack()
    }
  }

  #onEvent(type: string, name: string | null): void {
    if (this.#isClosed || this.#isFlood()) return
    if (name === JOURNAL) {
      if (type === 'rename') void this.#onJournalEvent()
    }
    // Written inside the commit, which the journal's removal ends: look a little later, unless that comes first.
    else if (name === OUTBOUND_DB) this.#calls.later()
    else if (name === null) this.#calls.soon()
  }

  /** A journal comes when a transaction starts and goes when it is committed; only then is there something to read. */
  async #onJournalEvent(): Promise<void> {
    const stamp = await stampOf(join(this.#outDir, JOURNAL))
    if (this.#isClosed) return
    if (stamp === null) this.#calls.soon()
    else this.#calls.later()
  }

  #isFlood(): boolean {
    const nowMs = this.#world.monotonicMs()
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + 1000
      this.#events = 0
    }
    this.#events += 1
    if (this.#events <= MAX_EVENTS) return false
    this.#fallBack()
    this.#calls.soon()
    return true
  }

  #fallBack(): void {
    this.#unlisten()
    this.#retryAtMs = this.#world.monotonicMs() + RETRY_MS
  }

  #unlisten(): void {
    this.#watcher?.close()
    this.#watcher = null
  }
}
