import { setTimeout as sleep } from 'node:timers/promises'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { machineMs } from '../clock.ts'
import type { HostUsage } from '../host-commands.ts'
import { roundFigure } from '../statistics.ts'
import { startRuns } from '../turns.ts'

const SESSIONS = 100
const SENDS = 1_000
/** Clients that send at the same time. */
const SENDERS = 64
const MB = 1024 * 1024
const SAMPLE_MS = 100

/** What a hundred runs at once cost the host, and whether it keeps their messages together. */
export const hundred: Benchmark = {
  name: 'hundred',
  about: '100 running sessions: CPU and memory of the host, and 1,000 sends to them at once',
  async run(context) {
    const dataDir = await context.scratch.newDir('hundred')
    const groups = { bench: await buildAnswerGroup(context.scratch) }
    await using host = await BenchHost.start(context.scratch, { dataDir, groups, runs: { max: SESSIONS } })
    context.say(`starting ${SESSIONS} runs`)
    const startedMs = machineMs()
    await startRuns(host, SESSIONS)
    const startMs = machineMs() - startedMs
    const idle = await measureIdle(context, host)
    const burst = await measureBurst(context, host)
    return [...idle, ...burst, ...memoryRows(await host.ask('usage'), startMs)]
  },
}

async function measureIdle(context: BenchContext, host: BenchHost): Promise<Row[]> {
  context.say('watching the host while nothing happens')
  await sleep(2_000)
  const [before, beganMs] = [await host.ask('usage'), machineMs()]
  await sleep(context.isQuick ? 5_000 : 65_000)
  const [after, tookMs] = [await host.ask('usage'), machineMs() - beganMs]
  const share = ((after.cpuMs - before.cpuMs) / tookMs) * 100
  const readers = ((readersCpuMs(after) - readersCpuMs(before)) / tookMs) * 100
  const note = `of one core, over ${roundFigure(tookMs / 1000)} s, one sweep in it; its mailbox readers ${roundFigure(readers)} % beside it`
  return [{ what: '100 running, host CPU at rest', value: share, unit: '%', target: null, note }]
}

async function measureBurst(context: BenchContext, host: BenchHost): Promise<Row[]> {
  context.say(`sending ${SENDS} messages`)
  const before = await host.ask('usage')
  const ids = Array.from({ length: SENDS }, (_, index) => `burst-${index}`)
  const watch = watchReplies(host, new Set(ids))
  let busiestRss = 0
  const sampler = setInterval(() => {
    void host.ask('usage').then(
      ({ rssBytes }) => {
        busiestRss = Math.max(busiestRss, rssBytes)
      },
      () => {},
    )
  }, SAMPLE_MS)
  const beganMs = machineMs()
  await sendAll(host, ids)
  const acknowledgedMs = machineMs() - beganMs
  await watch.allCompleted
  const tookMs = machineMs() - beganMs
  clearInterval(sampler)
  const after = await host.ask('usage')
  watch.stop()
  const { lost, twice } = await check(host, ids, watch.replies)
  const perTurn = (after.cpuMs - before.cpuMs) / SENDS
  const readersPerTurn = (readersCpuMs(after) - readersCpuMs(before)) / SENDS
  return [
    {
      what: '100 running, host CPU per turn',
      value: perTurn,
      unit: 'ms',
      target: null,
      note: `in the burst below; its mailbox readers ${roundFigure(readersPerTurn)} ms beside it`,
    },
    {
      what: '1,000 sends to 100 sessions, lost or doubled',
      value: lost + twice,
      unit: 'count',
      target: { atMost: 0 },
      note: `${lost} not answered or not completed, ${twice} answered twice; by the event stream and by the store`,
    },
    {
      what: '1,000 sends to 100 sessions, all answered within',
      value: tookMs / 1000,
      unit: 's',
      target: null,
      note: `over HTTP, ${SENDERS} at once; all acknowledged after ${roundFigure(acknowledgedMs / 1000)} s; host RSS meanwhile ${roundFigure(busiestRss / MB)} MB at most`,
    },
  ]
}

async function sendAll(host: BenchHost, ids: readonly string[]): Promise<void> {
  const left = ids.entries()
  const send = async () => {
    for (const [index, id] of left) await host.api.send(`bench/run-${index % SESSIONS}`, { id, text: 'hello' })
  }
  await Promise.all(Array.from({ length: SENDERS }, send))
}

function watchReplies(host: BenchHost, ids: ReadonlySet<string>) {
  const replies = new Map<string, number>()
  const open = new Set(ids)
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = host.events.listen(({ event }) => {
    const answered = event.reply?.inReplyTo
    if (answered != null && ids.has(answered)) replies.set(answered, (replies.get(answered) ?? 0) + 1)
    if ((event.type === 'message:completed' || event.type === 'message:failed') && event.messageId !== null) {
      open.delete(event.messageId)
      if (open.size === 0) resolve()
    }
  })
  return { replies, allCompleted: promise, stop }
}

async function check(host: BenchHost, ids: readonly string[], seen: ReadonlyMap<string, number>) {
  let [lost, twice] = [0, 0]
  for (const id of ids) {
    const { status, answered, replies } = await host.api.showMessage(id)
    if (status !== 'completed' || !answered || replies === 0 || !seen.has(id)) lost += 1
    if (replies > 1 || (seen.get(id) ?? 0) > 1) twice += 1
  }
  return { lost, twice }
}

function memoryRows({ rssBytes, peakRssBytes, readers }: HostUsage, startMs: number): Row[] {
  const apart =
    readers === null ? '' : `; ${readers.count} mailbox readers with ${roundFigure(readers.rssBytes / MB)} MB beside it`
  return [
    {
      what: '100 running, host RSS',
      value: peakRssBytes / MB,
      unit: 'MB',
      target: { atMost: 150 },
      note: `the most it ever had, starts and burst included; ${roundFigure(rssBytes / MB)} MB at the end${apart}; the 100 runs were up after ${roundFigure(startMs / 1000)} s`,
    },
  ]
}

function readersCpuMs({ readers }: HostUsage): number {
  return readers?.cpuMs ?? Number.NaN
}
