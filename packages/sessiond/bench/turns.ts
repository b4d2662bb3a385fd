import type { BenchHost } from './bench-host.ts'

/** The instants of one turn, by the machine's clock. */
export interface Turn {
  readonly id: string
  readonly sentMs: number
  readonly claimedMs: number
  /** When the agent was about to write the reply, as it says itself; NaN when it does not say. */
  readonly writtenMs: number
  readonly repliedMs: number
}

/** Sends a message and waits until the session has answered and completed it. */
export async function takeTurn(host: BenchHost, sessionId: string, id: string, text = 'hello'): Promise<Turn> {
  const { events } = host
  const [claimed, replied, completed] = [
    events.nextOf('message:claimed', id),
    events.nextReply(id),
    events.nextOf('message:completed', id),
  ]
  const sentMs = await host.api.send(sessionId, { id, text })
  const reply = await replied
  await completed
  const writtenMs = writtenOf(reply.event.reply?.content ?? '')
  return { id, sentMs, claimedMs: (await claimed).atMs, writtenMs, repliedMs: reply.atMs }
}

/** Brings up the runs of sessions `bench/run-0` to `bench/run-<n-1>` by a turn in each. */
export async function startRuns(host: BenchHost, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => takeTurn(host, `bench/run-${index}`, `start-${index}`)))
}

function writtenOf(content: string): number {
  const { text } = JSON.parse(content) as { text?: string }
  try {
    return Number((JSON.parse(text ?? '') as { writtenMs?: number }).writtenMs)
  } catch {
    // An agent that answers something else.
    return Number.NaN
  }
}
