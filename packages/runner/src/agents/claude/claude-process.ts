import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { RunnerWorld } from '../../world.ts'
import type { ClaudeSpawnOptions } from './claude-sdk.ts'
import { killTree } from './process-tree.ts'

/** From the end of its input to a SIGKILL: long enough to write a conversation to disk, well within a run's settling. */
const GRACE_MS = 2_000

const live = new Set<ClaudeProcess>()
let isArmed = false

/** The SDK's process, with everything it starts: none of it outlives the runner, however the runner ends. */
export class ClaudeProcess {
  /** What the SDK talks to. */
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** Resolves when the process has exited; also when it could not be started. */
  readonly exited: Promise<void>
  readonly #world: RunnerWorld
  #cancelKill: (() => void) | null = null

  constructor(options: ClaudeSpawnOptions, world: RunnerWorld, onStderr: (text: string) => void) {
    this.#world = world
    const { command, args, cwd, env } = options
    this.child = spawn(command, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: ['pipe', 'pipe', 'pipe'] })
    // Writing to what has exited is no error of its own: the exit tells.
    this.child.stdin.on('error', () => {})
    this.child.stderr.setEncoding('utf8').on('data', onStderr)
    this.exited = new Promise((resolve) => {
      const gone = () => {
        live.delete(this)
        this.#cancelKill?.()
        resolve()
      }
      this.child.once('exit', gone).once('error', gone)
    })
    options.signal.addEventListener('abort', () => this.end(), { once: true })
    live.add(this)
    arm()
  }

  /** Ends it, by force when it does not go by itself; resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#isGone) return
    this.child.stdin.end()
    this.child.kill('SIGTERM')
    this.#cancelKill ??= this.#world.setTimer(GRACE_MS, () => this.kill())
    await this.exited
  }

  kill(): void {
    if (!this.#isGone && this.child.pid !== undefined) killTree(this.child.pid)
  }

  get #isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined
  }
}

function arm(): void {
  if (isArmed) return
  isArmed = true
  process.on('exit', () => {
    for (const one of live) one.kill()
  })
}
