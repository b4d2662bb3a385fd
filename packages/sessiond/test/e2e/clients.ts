import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GroupOptions } from '../../src/config/options.ts'
import { type CliResult, type CliRun, runInside } from '../cli/cli-harness.ts'
import { makeDataDir, shellGroup, type TestHost } from './harness.ts'

/** What the API answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly error?: ApiError; readonly [key: string]: unknown }
}

export interface ApiError {
  readonly code: string
  readonly message: string
  readonly cure: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Asks a test's host over real HTTP, with its token; a string or bytes go as they are, anything else as JSON. */
export async function ask(test: TestHost, method: string, path: string, body?: unknown): Promise<Answer> {
  const token = await readFile(join(test.dataDir, 'api-token'), 'utf8')
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${test.host.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: isRaw ? (body as NonNullable<RequestInit['body']>) : JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

/** The command line of someone whose configuration names a test's data directory. */
export async function cliOf(
  test: Pick<TestHost, 'dataDir'>,
  groups: Readonly<Record<string, GroupOptions>> = { shell: shellGroup('process') },
): Promise<(args: readonly string[], run?: CliRun) => Promise<CliResult>> {
  const dir = await makeDataDir()
  const config = { dataDir: test.dataDir, api: { port: 0 }, groups }
  await writeFile(join(dir, 'sessiond.config.json'), JSON.stringify(config))
  return (args, run) => runInside(dir, args, run)
}

const PROGRAM = fileURLToPath(new URL('./programs/host.ts', import.meta.url))
const NODE_ARGS = ['--conditions=sessiond-source', '--disable-warning=ExperimentalWarning']

/** A host in a process of its own. */
export interface HostProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** `up`, or the code of the error that kept it from coming up with its words. */
  readonly outcome: { readonly apiUrl?: string; readonly code?: string; readonly message?: string }
  /** What it has logged so far. */
  log(): string
}

/** Starts a host as another process, perhaps of another user; resolves once it is up or has failed. */
export async function spawnHost(options: object, uid?: number): Promise<HostProcess> {
  const child = spawn(process.execPath, [...NODE_ARGS, PROGRAM, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const closed = once(child, 'close')
  let [out, log] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  while (!out.includes('\n')) {
    const isOver = await Promise.race([once(child.stdout, 'data').then(() => false), closed.then(() => true)])
    if (isOver && !out.includes('\n')) throw new Error(`the host ended without a word: ${log}`)
  }
  return {
    child,
    outcome: JSON.parse(out) as HostProcess['outcome'],
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
