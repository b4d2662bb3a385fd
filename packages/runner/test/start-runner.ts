import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { HostSide } from './host-side.ts'

export interface RunnerProcess {
  readonly child: ChildProcess
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>
  /** All it has written to stdout and stderr so far. */
  output(): string
}

export interface StartRunnerOptions {
  readonly epoch?: number
  readonly agent?: unknown
  readonly environment?: Readonly<Record<string, string | undefined>>
}

const live = new Set<ChildProcess>()

/** Starts a runner program as a host would: its variables, nothing of this process's but PATH. */
export function startRunner(
  host: HostSide,
  program: readonly string[],
  { epoch = 1, agent, environment = {} }: StartRunnerOptions = {},
): RunnerProcess {
  const child = spawn(process.execPath, [...program], {
    cwd: host.workDir,
    env: {
      PATH: process.env.PATH,
      SESSIOND_IN: host.inDir,
      SESSIOND_OUT: host.outDir,
      SESSIOND_WORK: host.workDir,
      SESSIOND_SESSION: 'group/session',
      SESSIOND_EPOCH: String(epoch),
      SESSIOND_RUN: `test-${epoch}`,
      ...(agent === undefined ? {} : { SESSIOND_AGENT: JSON.stringify(agent) }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  live.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      live.delete(child)
      resolve({ code, signal })
    })
  })
  return { child, exited, output: () => output }
}

/** Ends what tests have left running. */
export function killRunners(): void {
  for (const child of live) child.kill('SIGKILL')
}

/** Bundles a program of this repository into one file, with the flags of the package's own build script. */
export async function bundle(packageDir: string, outfile: string): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(`${packageDir}/package.json`, 'utf8')) as { scripts: { build: string } }
  const [entry = ''] = /\S+\.ts(?= --bundle)/.exec(scripts.build) ?? []
  await build({
    entryPoints: [`${packageDir}/${entry}`],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['sessiond-source'],
    logLevel: 'warning',
    outfile,
  })
  return outfile
}

/** Absolute path of something beside this file. */
export function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
