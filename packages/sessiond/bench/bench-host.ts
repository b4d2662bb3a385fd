import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostOptions } from 'sessiond'
import { ApiClient } from './api-client.ts'
import { buildHostProcess } from './build-programs.ts'
import { removeContainersOf } from './containers.ts'
import { EventClient } from './event-client.ts'
import type { CommandAnswer, Greeting, HostCommands } from './host-commands.ts'
import type { Scratch } from './scratch.ts'

const STOP_MS = 60_000

/** A host in a process of its own, with a client's connection to it. */
export class BenchHost implements AsyncDisposable {
  readonly dataDir: string
  readonly api: ApiClient
  readonly events: EventClient
  readonly #installId: string
  readonly #child: ChildProcess
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>()
  #calls = 0

  /** Starts one and connects to it; its log goes to a file in the data directory. */
  static async start(scratch: Scratch, options: HostOptions & { readonly dataDir: string }): Promise<BenchHost> {
    const program = await buildHostProcess(scratch)
    const withDefaults = { ...options, api: { port: 0, requestsPerSecond: 100_000, ...options.api } }
    const log = openSync(join(options.dataDir, 'host.log'), 'a')
    const child = fork(program, [JSON.stringify(withDefaults)], {
      // Not this process's own conditions: the host runs as it was built, and as `sessiond up` starts it.
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'],
      stdio: ['ignore', log, log, 'ipc'],
    })
    const [greeting] = (await once(child, 'message')) as [Greeting]
    if ('error' in greeting) throw new Error(`The host did not start: ${greeting.error}`)
    const token = (await readFile(join(options.dataDir, 'api-token'), 'utf8')).trim()
    const api = new ApiClient(greeting.apiUrl, token)
    return new BenchHost(
      options.dataDir,
      greeting.installId,
      child,
      api,
      await EventClient.connect(greeting.apiUrl, token),
    )
  }

  private constructor(dataDir: string, installId: string, child: ChildProcess, api: ApiClient, events: EventClient) {
    this.dataDir = dataDir
    this.#installId = installId
    this.api = api
    this.events = events
    this.#child = child
    child.on('message', (answer: CommandAnswer) => {
      const waiting = this.#answers.get(answer.id)
      this.#answers.delete(answer.id)
      if ('error' in answer) waiting?.reject(new Error(answer.error))
      else waiting?.resolve(answer.value)
    })
    child.on('exit', (code, signal) => {
      for (const waiting of this.#answers.values()) waiting.reject(new Error(`The host ended (${signal ?? code})`))
    })
  }

  /** Has the host's process do something and answers what it found. */
  ask<K extends keyof HostCommands>(
    name: K,
    question?: Parameters<HostCommands[K]>[0],
  ): Promise<Awaited<ReturnType<HostCommands[K]>>> {
    const id = this.#calls++
    const waiting = Promise.withResolvers<unknown>()
    this.#answers.set(id, waiting)
    this.#child.send({ id, name, question })
    return waiting.promise as Promise<Awaited<ReturnType<HostCommands[K]>>>
  }

  /** Stops the host with its runs; one that does not stop is killed, and its runs with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.events.close()
    this.api.close()
    if (await this.#stop()) return
    await killLeftRuns(this.dataDir)
    await removeContainersOf(this.#installId).catch(() => {
      // No engine: then it was no host of containers.
    })
  }

  /** False: it had to be killed, or was dead already. */
  async #stop(): Promise<boolean> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return false
    const exited = once(this.#child, 'exit').then(([code]) => code === 0)
    // One that cannot stop is killed when its time is up.
    void this.ask('stop').catch(() => {})
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    const isStopped = await exited
    clearTimeout(timer)
    return isStopped
  }
}

/** Process runs that a killed host left: their groups are named by its registry. */
async function killLeftRuns(dataDir: string): Promise<void> {
  const directory = join(dataDir, 'process-runs')
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith('.json')) continue
    const { pid, exit } = JSON.parse(await readFile(join(directory, name), 'utf8')) as { pid: number; exit: unknown }
    if (exit !== null) continue
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}
