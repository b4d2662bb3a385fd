import { createHost, type Host, type HostOptions } from 'sessiond'
import type { CommandAnswer, CommandCall, Greeting, HostCommands } from './host-commands.ts'
import { measureSendRate } from './measure-send-rate.ts'
import { measureSweeps } from './measure-sweeps.ts'
import { readerFigures } from './process-figures.ts'

/** A host as it is shipped, in a process of its own, so that its CPU and memory are its own too. */
const host = await open()
const commands: HostCommands = {
  sweep: (question) => measureSweeps(host, question),
  sendRate: (question) => measureSendRate(host, question),
  usage: async () => ({
    cpuMs: cpuMs(),
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    readers: readerFigures(process.pid),
  }),
  stop: () => host.stop(),
}
process.on('message', (call: CommandCall) => void answer(call))
// Whoever started this is gone, perhaps killed: nothing may run on.
process.on('disconnect', () => void host.stop().finally(() => process.exit()))
greet({ apiUrl: host.apiUrl ?? '', installId: (await host.health()).installId })

async function open(): Promise<Host> {
  try {
    const opened = createHost(JSON.parse(process.argv[2] ?? '{}') as HostOptions)
    await opened.start()
    return opened
  } catch (error) {
    greet({ error: String(error) })
    process.exit(1)
  }
}

function greet(greeting: Greeting): void {
  process.send?.(greeting)
}

async function answer({ id, name, question }: CommandCall): Promise<void> {
  const ask = commands[name] as (question: unknown) => Promise<unknown>
  const outcome: CommandAnswer = await ask(question).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: String(error) }),
  )
  process.send?.(outcome)
  if (name === 'stop') process.disconnect()
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
