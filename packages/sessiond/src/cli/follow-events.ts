import { setTimeout as sleep } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { HostEvent } from '../api.ts'
import { hasCode } from '../model/errors.ts'
import type { HostClient } from './client.ts'

export interface FollowOptions {
  /** Asked again before each connection: a host that restarted may listen elsewhere. */
  readonly connect: () => Promise<HostClient>
  readonly sessionId?: string
  readonly afterId?: number
  readonly signal: AbortSignal
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
 * event seen. Throws when the first connection fails, or when the host refuses; ends when the signal aborts.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<HostEvent> {
  const { signal } = options
  let lastEventId: string | undefined
  let wasOpen = false
  let isLost = false
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    try {
      for await (const item of readOnce(options, lastEventId)) {
        if (item === 'open') {
          ;[wasOpen, isLost, waitMs] = [true, false, FIRST_WAIT_MS]
          options.onOpen?.()
        } else {
          lastEventId = String(item.id)
          yield item
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (!wasOpen || !isOutage(error)) throw error
      if (!isLost) options.onLost?.(error)
      isLost = true
    }
    // Aborted while waiting: the loop's own condition ends it.
    await sleep(waitMs, undefined, { signal }).catch(() => {})
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
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

/** Whether waiting may help: the host is gone, starting, or the connection broke. */
function isOutage(error: unknown): boolean {
  if (hasCode(error, 'HOST_NOT_RUNNING', 'HOST_UNRESPONSIVE', 'HOST_STARTING', 'HOST_STOPPING', 'RATE_LIMITED'))
    return true
  // What a broken connection throws while its body is read; ours are all SessiondErrors.
  return error instanceof Error && (error.name === 'TypeError' || error.name === 'AbortError')
}
