import { setTimeout as sleep } from 'node:timers/promises'
import { BenchHost } from '../bench-host.ts'
import type { Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { percentile, spreadOf } from '../statistics.ts'
import { type Turn, takeTurn } from '../turns.ts'

const SESSION = 'bench/warm'
const WARM_UPS = 40
/** Between turns everything comes to rest, as between two messages of a person. */
const PAUSE_MS = 30

/** How fast a message reaches a run that is up, and its reply a client. */
export const warm: Benchmark = {
  name: 'warm',
  about: 'send to claimed, and reply to client, with a run that is up',
  async run(context) {
    const dataDir = await context.scratch.newDir('warm')
    const groups = { bench: await buildAnswerGroup(context.scratch) }
    await using host = await BenchHost.start(context.scratch, { dataDir, groups })
    await takeTurns(host, 'warm-up', 'work', WARM_UPS)
    context.say('taking turns with a warm run')
    const times = context.isQuick ? 20 : 300
    const working = await takeTurns(host, 'working', 'work', times)
    const instant = await takeTurns(host, 'instant', 'at once', times)
    return [...claimRows(working, instant), replyRow(working, instant), turnRow(working)]
  },
}

async function takeTurns(host: BenchHost, prefix: string, text: string, times: number): Promise<Turn[]> {
  const turns: Turn[] = []
  for (let i = 0; i < times; i += 1) {
    await sleep(PAUSE_MS)
    turns.push(await takeTurn(host, SESSION, `${prefix}-${i}`, text))
  }
  return turns
}

function claimRows(working: readonly Turn[], instant: readonly Turn[]): Row[] {
  const [claims, atOnce] = [working, instant].map((turns) => turns.map((turn) => turn.claimedMs - turn.sentMs))
  if (claims === undefined || atOnce === undefined) return []
  const note = `from the HTTP call to message:claimed at an event-stream client; ${spreadOf(claims)}; with an agent that answers at once, whose writes meet the host's look: ${spreadOf(atOnce)}`
  const row = (share: number, what: string, atMost: number, of: string): Row => {
    return { what, value: percentile(claims, share), unit: 'ms', target: { atMost }, note: of }
  }
  return [
    row(0.5, 'send to claimed, warm run, p50', 10, note),
    row(0.99, 'send to claimed, warm run, p99', 50, 'as above'),
  ]
}

function replyRow(working: readonly Turn[], instant: readonly Turn[]): Row {
  const [replies, atOnce] = [working, instant].map((turns) => turns.map((turn) => turn.repliedMs - turn.writtenMs))
  return {
    what: 'reply row to event-stream client, p50',
    value: percentile(replies ?? [], 0.5),
    unit: 'ms',
    target: { atMost: 10 },
    note: `from just before the run writes the row, its own commit included; ${spreadOf(replies ?? [])}; with an agent that answers at once: ${spreadOf(atOnce ?? [])}`,
  }
}

function turnRow(working: readonly Turn[]): Row {
  const overheads = working.map((turn) => turn.repliedMs - turn.sentMs - (turn.writtenMs - turn.gotMs))
  return {
    what: 'send to reply less the agent’s own work, warm run, p50',
    value: percentile(overheads, 0.5),
    unit: 'ms',
    target: null,
    note: `from the HTTP call to reply:written at a client, without the agent's 50 ms; ${spreadOf(overheads)}`,
  }
}
