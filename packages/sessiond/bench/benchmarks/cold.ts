import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { GroupOptions } from 'sessiond'
import { BenchHost } from '../bench-host.ts'
import type { BenchContext, Benchmark, Row } from '../benchmark.ts'
import { machineMs } from '../clock.ts'
import { BareContainers } from '../containers.ts'
import { median, spreadOf } from '../statistics.ts'
import { takeTurn } from '../turns.ts'

/** The agent every user begins with: a command. */
const COMMAND: GroupOptions = { agent: { command: ['cat'] } }

/** How long the first message of a session takes: its run has to be started. */
export const cold: Benchmark = {
  name: 'cold',
  about: 'send to reply through a run that has to be started, as a process and as a container',
  async run(context) {
    const rows = [await processRow(context), await bareProcessRow(context)]
    const containers = await BareContainers.prepare()
    if (typeof containers === 'string') {
      context.say(`leaving out containers: ${containers}`)
      return [...rows, { what: CONTAINER_TURN, value: null, unit: 'ms', target: null, note: `left out: ${containers}` }]
    }
    return [...rows, await containerRow(context, containers.image), await bareContainerRow(context, containers)]
  },
}

const CONTAINER_TURN = 'send to reply, cold container, p50'

async function processRow(context: BenchContext): Promise<Row> {
  const dataDir = await context.scratch.newDir('cold')
  await using host = await BenchHost.start(context.scratch, { dataDir, groups: { bench: COMMAND } })
  const tookMs = await coldTurns(context, host, context.isQuick ? 5 : 40)
  return rowOf('send to reply, cold process run, p50', tookMs, 'runner and agent (`cat`) started for it')
}

async function containerRow(context: BenchContext, image: string): Promise<Row> {
  const dataDir = await context.scratch.newDir('cold')
  const bench: GroupOptions = { ...COMMAND, runtime: 'docker', image, network: 'none' }
  await using host = await BenchHost.start(context.scratch, { dataDir, groups: { bench }, docker: { node: 'image' } })
  const tookMs = await coldTurns(context, host, context.isQuick ? 2 : 20)
  return rowOf(CONTAINER_TURN, tookMs, 'container created and started, then runner and agent in it')
}

/** Each turn in a new session, ended before the next one. */
async function coldTurns(context: BenchContext, host: BenchHost, times: number): Promise<number[]> {
  context.say(`taking ${times} turns with cold runs`)
  const tookMs: number[] = []
  for (let i = 0; i <= times; i += 1) {
    const sessionId = `bench/cold-${i}`
    const turn = await takeTurn(host, sessionId, `cold-${i}`)
    // The first one also warms up the host.
    if (i > 0) tookMs.push(turn.repliedMs - turn.sentMs)
    const gone = host.events.next('exit', (event) => event.type === 'run:exited' && event.sessionId === sessionId)
    await host.api.closeSession(sessionId)
    await gone
  }
  return tookMs
}

async function bareProcessRow(context: BenchContext): Promise<Row> {
  const tookMs = await repeat(context.isQuick ? 5 : 40, async () => {
    const startedMs = machineMs()
    await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
    return machineMs() - startedMs
  })
  return rowOf('beside it: bare `node -e 0`, p50', tookMs, 'start to exit, no sessiond in it')
}

async function bareContainerRow(context: BenchContext, containers: BareContainers): Promise<Row> {
  const tookMs = await repeat(context.isQuick ? 2 : 20, () => containers.runOnce(['node', '-e', '0']))
  return rowOf('beside it: bare container with `node -e 0`, p50', tookMs, 'create, start and exit, same image and Node')
}

async function repeat(times: number, takeMs: () => Promise<number>): Promise<number[]> {
  const tookMs: number[] = []
  for (let i = 0; i < times; i += 1) tookMs.push(await takeMs())
  return tookMs
}

function rowOf(what: string, tookMs: readonly number[], about: string): Row {
  return { what, value: median(tookMs), unit: 'ms', target: null, note: `${about}; ${spreadOf(tookMs)}` }
}
