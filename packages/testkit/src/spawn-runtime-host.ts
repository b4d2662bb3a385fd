import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { RunHandle, RunSpec } from '../../sessiond/src/ports.ts'

/** A host process of its own that has created, and perhaps started, one run: something to kill. */
export interface RuntimeHost {
  readonly handle: RunHandle
  /** Ends it with SIGKILL; resolves when it has ended. */
  kill(): Promise<void>
}

export interface RuntimeHostJob {
  /** A program that reads a job as JSON from its first argument, prints the handle as JSON and then waits. */
  readonly program: string
  readonly options: unknown
  readonly spec: RunSpec
  readonly isStarted: boolean
}

/** Starts a host process; resolves once its run stands. */
export async function spawnRuntimeHost(job: RuntimeHostJob): Promise<RuntimeHost> {
  const child = spawn(process.execPath, [...process.execArgv, job.program, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  return { handle: await readHandle(child), kill: () => kill(child, ended) }
}

async function readHandle(child: ChildProcess): Promise<RunHandle> {
  if (child.stdout === null) throw new Error('the host program has no output')
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as RunHandle
  throw new Error('the host program ended without a run')
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}
