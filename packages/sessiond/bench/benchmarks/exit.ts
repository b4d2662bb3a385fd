import { BenchHost } from '../bench-host.ts'
import type { Benchmark } from '../benchmark.ts'
import { buildAnswerGroup } from '../build-programs.ts'
import { machineMs } from '../clock.ts'
import { percentile, spreadOf } from '../statistics.ts'

const SESSION = 'bench/exit'

/** How soon a claim is free again when its run dies. */
export const exit: Benchmark = {
  name: 'exit',
  about: 'exit of a run to its claims reset',
  async run(context) {
    const dataDir = await context.scratch.newDir('exit')
    const groups = { bench: await buildAnswerGroup(context.scratch) }
    await using host = await BenchHost.start(context.scratch, { dataDir, groups })
    context.say('killing runs that hold a claim')
    const tookMs: number[] = []
    for (let i = 0; i < (context.isQuick ? 10 : 100); i += 1) tookMs.push(await killOne(host, `exit-${i}`))
    const note = `from kill -9 of the run's process to message:retried at an event-stream client; ${spreadOf(tookMs)}`
    return [
      { what: 'exit to claims reset, p99', value: percentile(tookMs, 0.99), unit: 'ms', target: { atMost: 250 }, note },
    ]
  },
}

/** Kills the run that holds a message; the next one answers it. */
async function killOne(host: BenchHost, id: string): Promise<number> {
  let pid = runningPid
  const stop = host.events.listen(({ event }) => {
    if (event.type === 'run:started') pid = pidOf(event.detail.handle)
  })
  const [claimed, retried, completed] = [
    host.events.nextOf('message:claimed', id),
    host.events.nextOf('message:retried', id),
    host.events.nextOf('message:completed', id),
  ]
  await host.api.send(SESSION, { id, text: 'hold' })
  await claimed
  if (pid === null) throw new Error('The run said a claim but was not seen to start')
  const killedMs = machineMs()
  process.kill(pid, 'SIGKILL')
  const tookMs = (await retried).atMs - killedMs
  await completed
  stop()
  runningPid = pid
  return tookMs
}

/** The process of the run that answered last. */
let runningPid: number | null = null

/** A process run's handle begins with its pid. */
function pidOf(handle: unknown): number {
  const pid = Number(String(handle).split(':')[0])
  if (!Number.isInteger(pid) || pid < 2) throw new Error(`No pid in the handle ${handle}`)
  return pid
}
