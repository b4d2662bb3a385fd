import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { World } from '../../world.ts'
import type { FoundRun, SeenRun } from '../runtime.ts'
import type { Engine } from './engine.ts'
import { installFilter, LABEL } from './labels.ts'

const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 10_000

/** Looks after which a container that was reported dead and still seems to run is left to the next catch-up. */
const CONFIRM_LOOKS = 20
const CONFIRM_WAIT_MS = 50

/** Docker says `die`, Podman `died`; either may come with an `Actor`. */
const eventSchema = z.object({
  Action: z.enum(['die', 'died']),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
})

export interface ExitEventsOptions {
  readonly world: World
  readonly engine: Engine
  readonly installId: string
  readonly list: () => Promise<FoundRun[]>
  readonly inspect: (id: string) => Promise<SeenRun>
  readonly onExit: (runName: string) => void
}

/**
 * Follows the engine's event stream for exits of one install's runs, for as long as it is open. A broken stream is
 * opened again with a growing pause; what ended meanwhile is found by looking, so an exit is told at least once.
 */
export class ExitEvents {
  readonly #options: ExitEventsOptions
  readonly #closing = new AbortController()
  /** Running when last heard of, by container id. */
  readonly #running = new Map<string, string>()
  #isFollowing = false
  #interruptions = 0

  constructor(options: ExitEventsOptions) {
    this.#options = options
  }

  /** How often the stream has broken off: the engine was away, and may have come back without its containers. */
  get interruptions(): number {
    return this.#interruptions
  }

  /** Begins to follow; idempotent. */
  open(): void {
    if (this.#isFollowing || this.#closing.signal.aborted) return
    this.#isFollowing = true
    void this.#follow()
  }

  /** Notes a run whose exit is to be told even if the stream breaks. */
  expect(id: string, runName: string): void {
    this.#running.set(id, runName)
  }

  close(): void {
    this.#closing.abort()
  }

  async #follow(): Promise<void> {
    const { world } = this.#options
    let waitMs = FIRST_WAIT_MS
    while (!this.#closing.signal.aborted) {
      const isFine = await this.#followOnce()
      waitMs = isFine ? FIRST_WAIT_MS : Math.min(waitMs * 2, MAX_WAIT_MS)
      if (!this.#closing.signal.aborted) await pause(world, waitMs, this.#closing.signal)
    }
  }

  /** Returns whether the stream could be opened at all. */
  async #followOnce(): Promise<boolean> {
    const abandon = new AbortController()
    const signal = AbortSignal.any([abandon.signal, this.#closing.signal])
    let isOpened = false
    try {
      const filters = JSON.stringify({ type: ['container'], label: installFilter(this.#options.installId) })
      const stream = await this.#options.engine.call('follow events', async (docker, timeout): Promise<Readable> => {
        timeout.addEventListener('abort', () => isOpened || abandon.abort())
        return (await docker.getEvents({ filters, abortSignal: signal })) as Readable
      })
      isOpened = true
      signal.addEventListener('abort', () => stream.destroy())
      // Heard by whoever reads on; before that, a stream that breaks must not pass for an error nobody expected.
      stream.on('error', () => {})
      // Only with the stream open: nothing can end unseen between the look and the first event.
      await this.#catchUp()
      // Nothing would ever end the reading of one that has broken meanwhile.
      if (stream.destroyed) return isOpened
      for await (const line of createInterface({ input: stream })) void this.#hear(line)
    } catch {
      // Down, restarted, or closed by us: the loop tries again, or ends.
    } finally {
      if (isOpened) this.#interruptions += 1
      abandon.abort()
    }
    return isOpened
  }

  async #hear(line: string): Promise<void> {
    const event = parseEvent(line)
    const runName = event?.Actor.Attributes[LABEL.run]
    if (event === undefined || runName === undefined) return
    await this.#confirm(event.Actor.ID, runName)
  }

  async #catchUp(): Promise<void> {
    const found = await this.#options.list()
    const alive = new Set(found.filter(({ isRunning }) => isRunning).map(({ handle }) => handle.id))
    for (const { handle, name, isRunning } of found) if (isRunning) this.expect(handle.id, name)
    const missing = [...this.#running].filter(([id]) => !alive.has(id))
    await Promise.all(missing.map(([id, name]) => this.#confirm(id, name)))
  }

  /** An event is a hint: the exit is told when the container itself says so. */
  async #confirm(id: string, runName: string): Promise<void> {
    const { world, inspect, onExit } = this.#options
    for (let looks = 0; looks < CONFIRM_LOOKS && !this.#closing.signal.aborted; looks += 1) {
      const seen = await inspect(id)
      if (seen.state === 'exited' || seen.state === 'gone') {
        this.#running.delete(id)
        onExit(runName)
        return
      }
      await pause(world, CONFIRM_WAIT_MS, this.#closing.signal)
    }
  }
}

function parseEvent(line: string): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data
  } catch {
    // A torn last line of a broken stream.
    return undefined
  }
}

/** Waits, or returns at once when it is time to end. */
async function pause(world: World, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = world.setTimer(delayMs, end)
    signal.addEventListener('abort', end)
  })
}
