import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BenchHost } from '../bench-host.ts'
import type { Benchmark, Row } from '../benchmark.ts'
import { machineMs } from '../clock.ts'
import { roundFigure } from '../statistics.ts'

const WAYS = [
  { what: 'one sender', senders: 1, batch: 1, isOneSession: false, atLeast: 2_000 },
  { what: '64 at once', senders: 64, batch: 1, isOneSession: false, atLeast: 10_000 },
  { what: '100 in a call, one session each', senders: 1, batch: 100, isOneSession: true, atLeast: 30_000 },
  { what: '1,000 in a call, 100 sessions', senders: 1, batch: 1_000, isOneSession: false, atLeast: 30_000 },
  // The worst case of a batch: every message touches pages of its own.
  { what: '100 in a call, 100 sessions', senders: 1, batch: 100, isOneSession: false, atLeast: 30_000 },
]
const BLOCK_BYTES = 4096

/** How many messages a second are acknowledged, each durable before its acknowledgement. */
export const sendRate: Benchmark = {
  name: 'send-rate',
  about: 'acknowledged sends a second through the library, every one fsynced',
  async run(context) {
    const rows: Row[] = []
    for (const { what, atLeast, ...way } of WAYS) {
      const dataDir = await context.scratch.newDir('send-rate')
      const groups = { bench: { agent: { command: ['cat'] } } }
      await using host = await BenchHost.start(context.scratch, { dataDir, groups })
      context.say(`sending: ${what}`)
      const question = { group: 'bench', ...way }
      await host.ask('sendRate', { ...question, forMs: context.isQuick ? 200 : 1_500 })
      const { acknowledged, tookMs, cpuMs } = await host.ask('sendRate', {
        ...question,
        forMs: context.isQuick ? 500 : 5_000,
      })
      const cpu = roundFigure((cpuMs / acknowledged) * 1000)
      const note = `${acknowledged.toLocaleString('en-US')} in ${roundFigure(tookMs / 1000)} s to 100 sessions in turn; ${cpu} µs CPU each`
      rows.push({
        what: `acknowledged sends, ${what}`,
        value: acknowledged / (tookMs / 1000),
        unit: '/s',
        target: { atLeast },
        note,
      })
    }
    return [...rows, bareSyncRow(context.scratch.dir)]
  },
}

/** What the disk itself allows a lone writer: nothing durable is faster than this one by one. */
function bareSyncRow(dir: string): Row {
  const block = Buffer.alloc(BLOCK_BYTES, 1)
  const file = openSync(join(dir, 'sync'), 'w')
  const times = 500
  const startedMs = machineMs()
  for (let i = 0; i < times; i += 1) {
    writeSync(file, block)
    fdatasyncSync(file)
  }
  const perSecond = times / ((machineMs() - startedMs) / 1000)
  closeSync(file)
  return {
    what: 'beside it: bare append of 4 KiB with fdatasync',
    value: perSecond,
    unit: '/s',
    target: null,
    note: 'one writer, no sessiond in it',
  }
}
