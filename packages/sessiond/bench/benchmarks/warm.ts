import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchHost } from '../bench-host.ts'
import type { Benchmark } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-answer.ts'
import { percentile, spreadOf } from '../statistics.ts'
import { type Turn, takeTurn } from '../turns.ts'

const SESSION = 'bench/warm'
const WARM_UPS = 20
/** Between turns everything comes to rest, as between two messages of a person. */
const PAUSE_MS = 30

/** How fast a message reaches a run that is up, and its reply a client. */
export const warm: Benchmark = {
  name: 'warm',
  about: 'send to claimed, and reply to client, with a run that is up',
  async run(context) {
    const dataDir = await context.scratch.newDir('warm')
    const groups = { bench: await buildAnswerGroup(context.scratch) }
    await using host = await BenchHost.start({ dataDir, groups })
    for (let i = 0; i < WARM_UPS; i += 1) await takeTurn(host, SESSION, `warm-up-${i}`)
    context.say('taking turns with a warm run')
    const turns: Turn[] = []
    for (let i = 0; i < (context.isQuick ? 20 : 400); i += 1) {
      await sleep(PAUSE_MS)
      turns.push(await takeTurn(host, SESSION, `turn-${i}`, 'note'))
    }
    const claims = turns.map((turn) => turn.claimedMs - turn.sentMs)
    const replies = turns.map((turn) => turn.repliedMs - turn.writtenMs)
    const onDisk = await onDiskTimes(dataDir)
    const afterDisk = turns.map((turn) => turn.repliedMs - (onDisk.get(turn.id) ?? Number.NaN))
    const whole = turns.map((turn) => turn.repliedMs - turn.sentMs)
    return [
      {
        what: 'send to claimed, warm run, p50',
        value: percentile(claims, 0.5),
        unit: 'ms',
        target: { atMost: 10 },
        note: `from the HTTP call to message:claimed at an event-stream client; ${spreadOf(claims)}`,
      },
      {
        what: 'send to claimed, warm run, p99',
        value: percentile(claims, 0.99),
        unit: 'ms',
        target: { atMost: 50 },
        note: '',
      },
      {
        what: 'reply row to event-stream client, p50',
        value: percentile(replies, 0.5),
        unit: 'ms',
        target: { atMost: 10 },
        note: `from just before the run writes the row, its own commit included; ${spreadOf(replies)}; from the row on disk: ${spreadOf(afterDisk)}`,
      },
      {
        what: 'send to reply, warm run, p50',
        value: percentile(whole, 0.5),
        unit: 'ms',
        target: null,
        note: spreadOf(whole),
      },
    ]
  },
}

/** When each reply was on disk, as the agent noted it. */
async function onDiskTimes(dataDir: string): Promise<Map<string, number>> {
  const text = await readFile(join(dataDir, 'sessions', SESSION, 'work', 'on-disk'), 'utf8')
  const lines = text.trim().split('\n')
  return new Map(
    lines.map((line) => {
      const { id, onDiskMs } = JSON.parse(line) as { id: string; onDiskMs: number }
      return [id, onDiskMs]
    }),
  )
}
