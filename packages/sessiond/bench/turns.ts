import type { BenchHost } from './bench-host.ts'

/** The instants of one turn, by the machine's clock. */
export interface Turn {
  readonly id: string
  readonly sentMs: number
  readonly claimedMs: number
  /** When the agent got the message and when its reply was about to be written, as it says; NaN if it does not. */
  readonly gotMs: number
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
  const said = saidBy(reply.event.reply?.content ?? '')
  return { id, sentMs, claimedMs: (await claimed).atMs, ...said, repliedMs: reply.atMs }
}

/** Brings up the runs of sessions `bench/run-0` to `bench/run-<n-1>` by a turn in each. */
export async function startRuns(host: BenchHost, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => takeTurn(host, `bench/run-${index}`, `start-${index}`)))
}

function saidBy(content: string): Pick<Turn, 'gotMs' | 'writtenMs'> {
  const { text } = JSON.parse(content) as { text: string }
  try {
    return JSON.parse(text) as Pick<Turn, 'gotMs' | 'writtenMs'>
  } catch {
    // An agent that answers something else.
    return { gotMs: Number.NaN, writtenMs: Number.NaN }
  }
}
