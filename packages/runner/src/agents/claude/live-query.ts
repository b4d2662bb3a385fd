import { randomUUID } from 'node:crypto'
import { describeError } from '../../errors.ts'
import type { RunnerWorld } from '../../world.ts'
import { LineTail } from '../line-tail.ts'
import type { ClaudeAgentOptions } from './claude-agent-options.ts'
import { ClaudeProcess } from './claude-process.ts'
import type {
  ClaudeHookInput,
  ClaudeMessage,
  ClaudeQuery,
  ClaudeSdk,
  ClaudeSpawnOptions,
  ClaudeUserMessage,
} from './claude-sdk.ts'
import { InputStream } from './input-stream.ts'
import { queryOptions } from './query-options.ts'

/** How much of stderr an error quotes. */
const TAIL_CHARS = 2_000
/** How long an interrupt may take to be obeyed. */
const INTERRUPT_MS = 1_000

/** Hears everything of a query as it happens. */
export interface QueryListener {
  message(message: ClaudeMessage): void
  /** A promise holds the hook's answer back. */
  hook(input: ClaudeHookInput): Promise<void>
  stderr(text: string): void
  /** Nothing more comes. `error`: why, when the query did not end by itself. */
  over(error: Error | undefined): void
}

export interface LiveQueryOptions {
  readonly sdk: ClaudeSdk
  readonly options: ClaudeAgentOptions
  readonly workDir: string
  readonly resume: string | null
  readonly hookEvents?: readonly string[]
  readonly world: RunnerWorld
  /** Told the process's id once it runs. */
  readonly onStarted?: (pid: number) => void
  readonly listener: QueryListener
}

/** One conversation with the SDK, open for as long as its process lives. */
export class LiveQuery {
  readonly #input = new InputStream<ClaudeUserMessage>()
  readonly #abort = new AbortController()
  readonly #tail = new LineTail(TAIL_CHARS)
  readonly #options: LiveQueryOptions
  readonly #query: ClaudeQuery
  #process: ClaudeProcess | null = null
  #isOver = false

  constructor(options: LiveQueryOptions) {
    this.#options = options
    this.#query = options.sdk.query({
      prompt: this.#input,
      options: queryOptions(options.options, {
        workDir: options.workDir,
        resume: options.resume,
        ...(options.hookEvents === undefined ? {} : { hookEvents: options.hookEvents }),
        onHook: (input) => options.listener.hook(input),
        spawnClaudeCodeProcess: (spawn: ClaudeSpawnOptions) => this.#spawn(spawn),
        abortController: this.#abort,
      }),
    })
    void this.#read()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Says something; returns the id that the answer's result will name. */
  push(text: string): string {
    const uuid = randomUUID()
    const message = { role: 'user', content: text } as const
    this.#input.push({ type: 'user', uuid, session_id: '', parent_tool_use_id: null, message })
    return uuid
  }

  /** Lets the model put down what it is at, then ends the process; resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.#isOver) await this.#interrupt()
    await this.close()
  }

  /** Ends the process; resolves when it is gone. */
  async close(): Promise<void> {
    this.#input.end()
    this.#query.close()
    await this.#process?.end()
  }

  async #interrupt(): Promise<void> {
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.world.setTimer(INTERRUPT_MS, resolve)
    })
    // A query that cannot be interrupted is closed all the same.
    const interrupted = this.#query.interrupt().catch(() => {})
    await Promise.race([interrupted, late])
    cancel()
  }

  #spawn(options: ClaudeSpawnOptions): ClaudeProcess['child'] {
    this.#process = new ClaudeProcess(options, this.#options.world, (text) => {
      for (const line of text.split('\n')) this.#tail.add(line)
      this.#options.listener.stderr(text)
    })
    const { child } = this.#process
    if (child.pid !== undefined) this.#options.onStarted?.(child.pid)
    return child
  }

  async #read(): Promise<void> {
    let failure: Error | undefined
    try {
      for await (const message of this.#query) this.#options.listener.message(message)
    } catch (error) {
      const tail = this.#tail.text()
      const text = tail === '' ? describeError(error) : `${describeError(error)}:\n${tail}`
      failure = new Error(text, { cause: error })
    }
    this.#isOver = true
    this.#options.listener.over(failure)
  }
}
