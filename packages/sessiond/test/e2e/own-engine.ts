import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ANSWER_MS = 60_000

/** Null when a test can have an engine of its own; else why not. */
export function whyNoOwnEngine(): string | null {
  if (process.getuid?.() !== 0) return 'only root can start an engine'
  try {
    execFileSync('dockerd', ['--version'], { stdio: 'ignore' })
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' })
    return null
  } catch {
    return 'there is no dockerd, or it cannot be given a network of its own'
  }
}

/** A container engine of a test's own, which may be stopped and started again. */
export class OwnEngine {
  readonly socketPath: string
  readonly #dir: string
  #daemon: ChildProcess | null = null

  static async start(): Promise<OwnEngine> {
    const engine = new OwnEngine(await mkdtemp(join(tmpdir(), 'sd-engine-')))
    await engine.start()
    return engine
  }

  private constructor(dir: string) {
    this.#dir = dir
    this.socketPath = join(dir, 'engine.sock')
  }

  /** Resolves once it answers. */
  async start(): Promise<void> {
    const [data, state] = [join(this.#dir, 'data'), join(this.#dir, 'exec')]
    const places = ['--data-root', data, '--exec-root', state, '--pidfile', join(this.#dir, 'pid')]
    const bare = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-masq=false']
    const log = openSync(join(this.#dir, 'log'), 'a')
    // In a network of its own: an engine without a bridge would take down the bridge of the machine's own engine.
    const command = ['--net', 'dockerd', ...places, ...bare, '--host', `unix://${this.socketPath}`]
    this.#daemon = spawn('unshare', command, { stdio: ['ignore', log, log] })
    closeSync(log)
    const giveUpAtMs = performance.now() + ANSWER_MS
    while (!(await this.#answers())) {
      if (this.#daemon.exitCode !== null || performance.now() > giveUpAtMs) {
        throw new Error(`the engine did not come up: ${(await readFile(join(this.#dir, 'log'), 'utf8')).slice(-2_000)}`)
      }
    }
  }

  /** Resolves once the daemon has ended. */
  async stop(): Promise<void> {
    const daemon = this.#daemon
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGTERM')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request({ socketPath: this.socketPath, path: '/_ping' }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      // Not there yet: asked again a moment later.
      asked.on('error', () => setTimeout(() => resolve(false), 50))
      asked.end()
    })
  }
}
