import { setTimeout as sleep } from 'node:timers/promises'
import type { GroupOptions } from 'sessiond'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { addHistory } from '../fill-store.ts'
import { median, roundFigure } from '../statistics.ts'
import { takeTurn } from '../turns.ts'
import { startWebhook, type Webhook } from '../webhook.ts'

const SHORT = 10
const LONG = 100_000
const SESSION = { group: 'bench', name: 'run-0', sinks: ['hook'] }
const SESSION_ID = `${SESSION.group}/${SESSION.name}`
const PAUSE_MS = 20
/** "The same" on a machine that does other things too. */
const TARGET = { atMost: 1.5 }

interface Costs {
  readonly sweepMs: readonly number[]
  readonly turnMs: number[]
  readonly deliveryMs: number[]
}

interface Subject {
  readonly host: BenchHost
  readonly hook: Webhook
  readonly costs: Costs
}

/** Whether what is long done makes anything dearer. */
export const history: Benchmark = {
  name: 'history',
  about: 'sweep, turn and delivery of a session with 100,000 finished messages against one with 10',
  async run(context) {
    const group = { ...(await buildAnswerGroup(context.scratch)), sinks: SESSION.sinks }
    context.say('building histories')
    await using shortHook = await startWebhook()
    await using longHook = await startWebhook()
    await using shortHost = await open(context, group, shortHook, SHORT)
    await using longHost = await open(context, group, longHook, context.isQuick ? LONG / 10 : LONG)
    context.say('comparing histories')
    const short = await subjectOf(context, shortHost, shortHook)
    const long = await subjectOf(context, longHost, longHook)
    // Turn about, so that whatever else the machine does hits both alike.
    for (let i = 0; i < (context.isQuick ? 20 : 200); i += 1) {
      await oneTurn(short, `turn-${i}`)
      await oneTurn(long, `turn-${i}`)
    }
    return [
      rowOf('sweep, CPU', short.costs.sweepMs, long.costs.sweepMs),
      rowOf('turn, send to reply', short.costs.turnMs, long.costs.turnMs),
      rowOf('delivery, reply row to webhook', short.costs.deliveryMs, long.costs.deliveryMs),
    ]
  },
}

async function open(context: BenchContext, bench: GroupOptions, hook: Webhook, finished: number): Promise<BenchHost> {
  const dataDir = await context.scratch.newDir('history')
  await addHistory(dataDir, SESSION, finished)
  return BenchHost.start(context.scratch, { dataDir, groups: { bench }, sinks: { hook: { url: hook.url } } })
}

async function subjectOf(context: BenchContext, host: BenchHost, hook: Webhook): Promise<Subject> {
  const subject = { host, hook, costs: { sweepMs: [] as number[], turnMs: [], deliveryMs: [] } }
  for (let i = 0; i < 20; i += 1) await takeTurn(host, SESSION_ID, `warm-up-${i}`)
  const { cpuMs } = await host.ask('sweep', { times: context.isQuick ? 5 : 40, warmUps: context.isQuick ? 3 : 20 })
  subject.costs.sweepMs.push(...cpuMs)
  return subject
}

async function oneTurn({ host, hook, costs }: Subject, id: string): Promise<void> {
  await sleep(PAUSE_MS)
  const delivered = hook.next(id)
  const turn = await takeTurn(host, SESSION_ID, id)
  costs.turnMs.push(turn.repliedMs - turn.sentMs)
  costs.deliveryMs.push((await delivered) - turn.writtenMs)
}

function rowOf(what: string, shortMs: readonly number[], longMs: readonly number[]): Row {
  const [short, long] = [median(shortMs), median(longMs)]
  const note = `medians: ${roundFigure(long)} ms with 100,000, ${roundFigure(short)} ms with 10; n = ${longMs.length}`
  return { what: `${what}: 100,000 finished against 10`, value: long / short, unit: 'ratio', target: TARGET, note }
}
