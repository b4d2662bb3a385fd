import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordingLine } from '@sessiond/protocol'
import { pino } from 'pino'
import { listKeptRecordings } from '../backtest/find-recordings.ts'
import { readRecording } from '../backtest/read-recording.ts'
import type { GroupOptions } from '../config/options.ts'
import { createHost, type Host } from '../create-host.ts'

/** What is said and when, counted from the start. */
export interface ProbePrompt {
  readonly atMs: number
  readonly text: string
}

export interface ProbeRunnerOptions {
  /** A program that speaks the mailbox protocol, or one that gets the text on stdin. */
  readonly agent: { readonly runner: readonly string[] } | { readonly command: readonly string[] }
  readonly prompts: readonly ProbePrompt[]
  /** The recording ends then, whatever is still at work. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** From SIGTERM to the end of a run, SIGKILL included. */
const END_MS = 15_000

/** Nothing is to be judged: what the run does when it is left alone is what is asked for. */
const LEAVE_ALONE = {
  start: '7d',
  frozen: '7d',
  toolGrace: '1d',
  toolSilent: '7d',
  toolBlind: '7d',
  busyCeiling: '30d',
  modelSilent: '7d',
  modelPinging: '7d',
  silent: '7d',
  deaf: '7d',
  claimSilent: '7d',
  ceiling: '30d',
} as const

/** Puts prompts to a run of a host of its own, which is gone afterwards, and returns what the host saw of its clocks. */
export async function probeRunner(options: ProbeRunnerOptions): Promise<readonly RecordingLine[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-probe-'))
  try {
    await runPrompts(dataDir, options)
    const [file] = await listKeptRecordings(dataDir)
    return file === undefined ? [] : readRecording(await readFile(file, 'utf8'), file).lines
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Its recording is kept when it has ended, so that is waited for. */
async function endRun(host: Host): Promise<void> {
  const { runStopped } = await host.stopSession('probe/main').catch(() => ({ runStopped: false }))
  if (!runStopped) return
  const signal = AbortSignal.timeout(END_MS)
  for await (const { type } of host.events({ afterId: 0, signal })) if (type === 'run:exited') break
}

async function runPrompts(dataDir: string, options: ProbeRunnerOptions): Promise<void> {
  const { agent, prompts, timeoutMs, signal } = options
  const group: GroupOptions =
    'runner' in agent ? { runner: { command: agent.runner } } : { agent: { command: agent.command } }
  const host = createHost(
    {
      dataDir,
      groups: { probe: { ...group, stuck: LEAVE_ALONE, retry: { maxTries: 1 } } },
      runs: { stopGrace: '2s', killWait: '5s', idleStop: '1h' },
      shutdown: { drain: 0 },
      log: { level: 'silent' },
    },
    { logger: pino({ level: 'silent' }), listen: false },
  )
  await host.start()
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const cancels = prompts.map(({ atMs, text }) => {
    const timer = setTimeout(() => void host.send({ group: 'probe', text }).catch(() => {}), atMs)
    return () => clearTimeout(timer)
  })
  try {
    let ended = 0
    for await (const { type } of host.events({ afterId: 0, signal: over })) {
      if (type === 'message:completed' || type === 'message:failed') ended += 1
      if (ended === prompts.length) break
    }
  } finally {
    for (const cancel of cancels) cancel()
    await endRun(host)
    await host.stop()
  }
}
