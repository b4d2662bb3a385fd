import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { RunnerWorld } from '../world.ts'
import { BoundedOutput } from './bounded-output.ts'
import { LineSplitter } from './line-splitter.ts'
import { endGroup, rememberGroup, signalGroup } from './process-group.ts'

/** From SIGTERM to SIGKILL of a command that has to end. */
const KILL_GRACE_MS = 2_000
/** How long output may still come once the command has exited and its group was ended. */
const DRAIN_MS = 1_000

export interface RunCommandOptions {
  readonly command: readonly string[]
  readonly input: string
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  readonly maxOutputBytes: number
  readonly signal: AbortSignal
  readonly world: RunnerWorld
  readonly onErrorLine: (line: string) => void
}

/** How a command ended. The first reason to end it is the one told. */
export interface CommandEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly because: 'exited' | 'timeout' | 'aborted'
  readonly output: BoundedOutput
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Runs one program, without a shell, in a process group of its own, and ends the whole group when it exits, takes
 * too long or is no longer wanted. Rejects when it cannot be started.
 */
export async function runCommand(options: RunCommandOptions): Promise<CommandEnd> {
  const [program = '', ...args] = options.command
  const output = new BoundedOutput(options.maxOutputBytes)
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = exitOf(child)
  const stopReading = readOutput(child, output, options.onErrorLine)
  feed(child, options.input)
  const watchdog = watchOver(child, options)
  try {
    const { code, signal } = await exited
    await drained(child, options.world)
    return { code, signal, because: watchdog.because(), output }
  } finally {
    watchdog.stop()
    stopReading()
  }
}

function exitOf(child: Child): Promise<{ code: number | null; signal: string | null }> {
  const { pid } = child
  if (pid !== undefined) rememberGroup(pid)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (pid !== undefined) endGroup(pid)
      resolve({ code, signal })
    })
  })
}

function readOutput(child: Child, output: BoundedOutput, onErrorLine: (line: string) => void): () => void {
  const lines = new LineSplitter(onErrorLine)
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk))
  child.stderr.on('data', (chunk: Buffer) => lines.add(chunk))
  return () => lines.end()
}

function feed(child: Child, input: string): void {
  // A command that does not read its input is none the worse for it.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
}

/** Waits for the end of the output, but not for a process that left the group and keeps it open. */
async function drained(child: Child, world: RunnerWorld): Promise<void> {
  if (child.stdout.closed && child.stderr.closed) return
  let cancel = () => {}
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    cancel = world.setTimer(DRAIN_MS, resolve)
  })
  cancel()
  child.stdout.destroy()
  child.stderr.destroy()
}

function watchOver(child: Child, { timeoutMs, signal, world }: RunCommandOptions) {
  let because: CommandEnd['because'] = 'exited'
  let cancelKill = () => {}
  const end = (reason: 'timeout' | 'aborted') => {
    if (because !== 'exited' || child.pid === undefined || hasExited(child)) return
    because = reason
    const { pid } = child
    signalGroup(pid, 'SIGTERM')
    cancelKill = world.setTimer(KILL_GRACE_MS, () => {
      if (!hasExited(child)) signalGroup(pid, 'SIGKILL')
    })
  }
  const onAbort = () => end('aborted')
  const cancelTimeout = world.setTimer(timeoutMs, () => end('timeout'))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return {
    because: () => because,
    stop: () => {
      cancelTimeout()
      cancelKill()
      signal.removeEventListener('abort', onAbort)
    },
  }
}

function hasExited(child: Child): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
