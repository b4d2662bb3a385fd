import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CliContext } from '../../src/cli/cli-context.ts'
import { runCli } from '../../src/cli/run-cli.ts'

/** What a command left behind. */
export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliRun {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: Iterable<Uint8Array>
  readonly signal?: AbortSignal
  /** A person reads standard error. */
  readonly isErrTerminal?: boolean
  /** Called after each piece of standard output. */
  readonly onOut?: (all: string) => void
  /** The same of standard error. */
  readonly onErr?: (all: string) => void
}

/** A directory a command runs in; removed at the end. */
export async function makeDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sessiond-cli-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Writes the configuration most tests use. */
export async function writeConfig(dir: string, options: object = {}): Promise<void> {
  const config = { dataDir: 'data', groups: { ops: { agent: { command: ['sh'] } } }, api: { port: 0 }, ...options }
  await writeFile(join(dir, 'sessiond.config.json'), JSON.stringify(config))
}

/** Runs one command in this process. */
export async function runInside(cwd: string, args: readonly string[], run: CliRun = {}): Promise<CliResult> {
  let [code, stdout, stderr] = [0, '', '']
  const context: CliContext = {
    env: run.env ?? {},
    cwd,
    stdin: (async function* () {
      yield* run.stdin ?? []
    })(),
    out: (text) => {
      stdout += text
      run.onOut?.(stdout)
    },
    isErrTerminal: run.isErrTerminal ?? false,
    err: (text) => {
      stderr += text
      run.onErr?.(stderr)
    },
    now: () => Date.now(),
    handleInterrupt: () => run.signal ?? new AbortController().signal,
    outliveReader: () => {},
    setExitCode: (next) => {
      code = next
    },
  }
  await runCli(args, context)
  return { code, stdout, stderr }
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const NODE_ARGS = ['--conditions=sessiond-source', '--disable-warning=ExperimentalWarning', MAIN]

/** A command in a process of its own. */
export interface CliProcess extends AsyncDisposable {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves once standard output matches; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<void>
  ended(): Promise<CliResult>
}

/** Starts a command in a process of its own, with no environment but PATH and what is given; `by`: what starts it. */
export function startOutside(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
  by: readonly string[] = [],
): CliProcess {
  const [program = process.execPath, ...before] = [...by, process.execPath]
  const child = spawn(program, [...before, ...NODE_ARGS, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  if (stdin === 'ignore') child.stdin.end()
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const closed = once(child, 'close').then(([code]) => ({ code: Number(code ?? -1), stdout: out, stderr: err }))
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    async printed(pattern) {
      while (!pattern.test(out)) {
        const ended = await Promise.race([once(child.stdout, 'data'), closed])
        if (!Array.isArray(ended) && !pattern.test(out)) throw new Error(`ended without ${pattern}: ${out}${err}`)
      }
    },
    ended: () => closed,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
