import { setTimeout as sleep } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { HostEvent } from '../api.ts'
import { hasCode, SessiondError } from '../model/errors.ts'
import type { HostClient } from './client.ts'

export interface FollowOptions {
  /** Asked again before each connection: a host that restarted may listen elsewhere. */
  readonly connect: () => Promise<HostClient>
  readonly sessionId?: string
  readonly afterId?: number
  readonly signal: AbortSignal
  /** True: the host is known to be there, so that also the first connection waits for it. @default false */
  readonly isPatient?: boolean
  /** Called after each connection was made, the first one included. */
  readonly onOpen?: () => void
  /** Called once per outage. */
  readonly onLost?: (error: unknown) => void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
/** The host says something at least every 15 s; a connection this silent is dead. */
const SILENT_MS = 60_000
/** Longest event accepted; a reply is at most a few MiB. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024

/**
 * Yields every event once, in order, also across restarts of the host: it reconnects and resumes after the last
 * event seen. Throws when there is no host to connect to at first, or when it refuses; ends when the signal aborts.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<HostEvent> {
  const { signal } = options
  let lastEventId: string | undefined
  let wasOpen = false
  let isLost = false
  let failures = 0
  while (!signal.aborted) {
    try {
      for await (const item of readOnce(options, lastEventId)) {
        if (item === 'open') {
          ;[wasOpen, isLost, failures] = [true, false, 0]
          options.onOpen?.()
        } else {
          lastEventId = String(item.id)
          yield item
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isOutage(error) || !(wasOpen || options.isPatient === true || isRefusedForNow(error))) throw error
      if (!isLost) options.onLost?.(error)
      isLost = true
    }
    // Aborted while waiting: the loop's own condition ends it.
    await sleep(waitAfter(failures), undefined, { signal }).catch(() => {})
    failures += 1
  }
}

async function* readOnce(options: FollowOptions, lastEventId: string | undefined): AsyncGenerator<'open' | HostEvent> {
  const silence = new AbortController()
  const client = await options.connect()
  const body = await client.openEvents({
    ...(options.sessionId === undefined ? {} : { session: options.sessionId }),
    ...(options.afterId === undefined ? {} : { after: options.afterId }),
    ...(lastEventId === undefined ? {} : { lastEventId }),
    signal: AbortSignal.any([options.signal, silence.signal]),
  })
  const watchdog = setTimeout(() => silence.abort(), SILENT_MS)
  try {
    yield 'open'
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        watchdog.refresh()
        controller.enqueue(chunk)
      },
    })
    const events = body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARS }))
    for await (const { data } of events) yield JSON.parse(data) as HostEvent
  } finally {
    clearTimeout(watchdog)
    silence.abort()
  }
}

/** Whether waiting may help: the host is gone, starting, busy, or the connection broke. */
export function isOutage(error: unknown): boolean {
  if (error instanceof SessiondError) return error.retryable
  // What a broken connection throws while its body is read; ours are all SessiondErrors.
  return error instanceof Error && (error.name === 'TypeError' || error.name === 'AbortError')
}

/** There is a host, and it says to come again. */
function isRefusedForNow(error: unknown): boolean {
  return hasCode(error, 'HOST_STARTING', 'RATE_LIMITED', 'STORE_BUSY')
}

/** How long to wait after the nth failure in a row, from 0. */
export function waitAfter(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS)
}
