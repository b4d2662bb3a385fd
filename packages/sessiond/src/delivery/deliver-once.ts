import type { Reply } from '../model/reply.ts'
import type { World } from '../world.ts'
import type { Sink, SinkOutcome } from './sink.ts'

export interface OneDelivery {
  readonly sink: Sink
  readonly reply: Reply
  readonly attempt: number
  readonly quote: string | null
  readonly timeoutMs: number
  /** Aborts when the host has no more time for it. */
  readonly stop: AbortSignal
  readonly world: World
}

const MAX_ERROR_CHARS = 500

/**
 * Makes one attempt and always comes back: with what the sink said, a transient failure when it threw or took
 * longer than `timeoutMs`, or `stopped`, which says nothing about the attempt. A sink that ignores its signal
 * holds nobody up.
 */
export async function deliverOnce(delivery: OneDelivery): Promise<SinkOutcome | 'stopped'> {
  const { sink, reply, attempt, quote, timeoutMs, stop, world } = delivery
  if (stop.aborted) return 'stopped'
  const abort = new AbortController()
  const { promise: cut, resolve } = Promise.withResolvers<SinkOutcome | 'stopped'>()
  const cutWith = (outcome: SinkOutcome | 'stopped') => {
    // First our own word, then the abort: what the sink makes of being aborted must not win the race.
    resolve(outcome)
    abort.abort()
  }
  const onStop = () => cutWith('stopped')
  const cancelTimer = world.setTimer(timeoutMs, () => cutWith(failed(`no answer within ${timeoutMs} ms`)))
  stop.addEventListener('abort', onStop, { once: true })
  try {
    return await Promise.race([cut, ask(sink, reply, { attempt, quote, signal: abort.signal })])
  } finally {
    cancelTimer()
    stop.removeEventListener('abort', onStop)
  }
}

async function ask(sink: Sink, reply: Reply, attempt: Parameters<Sink['deliver']>[1]): Promise<SinkOutcome> {
  try {
    const outcome: SinkOutcome | undefined = await sink.deliver(reply, attempt)
    // A sink of somebody else's may forget to answer; silence is not a confirmation.
    if (typeof outcome?.confirmed !== 'boolean') return failed('the sink confirmed nothing')
    return outcome.confirmed ? outcome : { ...outcome, error: String(outcome.error).slice(0, MAX_ERROR_CHARS) }
  } catch (error) {
    return failed(error instanceof Error ? error.message : 'the sink threw')
  }
}

function failed(error: string): SinkOutcome {
  return { confirmed: false, permanent: false, error: error.slice(0, MAX_ERROR_CHARS) }
}
