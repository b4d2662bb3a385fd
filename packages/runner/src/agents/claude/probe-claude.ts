import type { RecordingLine } from '@sessiond/protocol'
import { type RunnerWorld, realRunnerWorld } from '../../world.ts'
import type { ClaudeAgentOptions } from './claude-agent-options.ts'
import { ClaudeRecorder } from './claude-recorder.ts'
import type { ClaudeMessage } from './claude-sdk.ts'
import { LiveQuery } from './live-query.ts'
import { loadClaudeSdk } from './load-claude-sdk.ts'

const BEAT_MS = 5_000
/** What is told as `sdk-hook`, besides those of tools. */
const HOOK_EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'Stop',
  'StopFailure',
  'SubagentStart',
  'SubagentStop',
  'PreCompact',
  'PostCompact',
  'Notification',
  'PermissionRequest',
  'PermissionDenied',
] as const

export interface ProbeClaudeOptions {
  /** How the SDK is run. */
  readonly agent: ClaudeAgentOptions
  readonly workDir: string
  /** What is said to it and when, counted from the start. */
  readonly prompts: readonly { readonly atMs: number; readonly text: string }[]
  readonly onLine: (line: RecordingLine) => void
  /** The recording ends then, whatever is still at work. */
  readonly timeoutMs: number
  /** The recording's name. */
  readonly trace?: string
  readonly about?: string
  /** A hook of the SDK (`Stop`, `PreToolUse` …) that is never answered: what a hook that hangs looks like. */
  readonly hangHook?: string
  readonly signal?: AbortSignal
  /** Told once the SDK's process runs, for those who measure it. */
  readonly onStarted?: (pid: number) => void
}

/** `answered`: every prompt was. `exit`: the SDK ended before. */
export interface ProbeEnd {
  readonly why: 'answered' | 'timeout' | 'stopped' | 'exit'
  /** What the SDK ended with. */
  readonly error?: Error
}

/** Puts prompts to the SDK and records what comes of it; resolves when the SDK's process is gone. */
export async function probeClaude(options: ProbeClaudeOptions): Promise<ProbeEnd> {
  const sdk = await loadClaudeSdk(options.agent.sdk)
  return new Probe(options, realRunnerWorld).run(sdk)
}

class Probe {
  readonly #options: ProbeClaudeOptions
  readonly #world: RunnerWorld
  readonly #startedAt = performance.now()
  readonly #recorder: ClaudeRecorder
  readonly #ended: Promise<ProbeEnd>
  #end: (end: ProbeEnd) => void = () => {}
  readonly #cancels = new Set<() => void>()
  /** Prompts by the id they were pushed under, until they are answered. */
  readonly #open = new Map<string, string>()
  #pushed = 0

  constructor(options: ProbeClaudeOptions, world: RunnerWorld) {
    this.#options = options
    this.#world = world
    const elapsedMs = () => performance.now() - this.#startedAt
    this.#recorder = new ClaudeRecorder({ elapsedMs, onLine: options.onLine })
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async run(sdk: Awaited<ReturnType<typeof loadClaudeSdk>>): Promise<ProbeEnd> {
    const { trace = 'probe', about = '', agent, workDir, timeoutMs, signal, onStarted, onLine } = this.#options
    onLine({ t: 0, kind: 'meta', trace, about, agent: 'Claude Agent SDK' })
    const query = new LiveQuery({
      sdk,
      options: agent,
      workDir,
      resume: null,
      hookEvents: this.#hookEvents(),
      world: this.#world,
      ...(onStarted === undefined ? {} : { onStarted }),
      listener: {
        message: (message) => this.#message(message),
        hook: (input) => {
          this.#recorder.hook(input)
          return input.hook_event_name === this.#options.hangHook ? new Promise(() => {}) : Promise.resolve()
        },
        stderr: (text) => this.#recorder.stderr(text),
        over: (error) => this.#end({ why: 'exit', ...(error === undefined ? {} : { error }) }),
      },
    })
    const stop = () => this.#end({ why: 'stopped' })
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted === true) stop()
    this.#after(timeoutMs, () => this.#end({ why: 'timeout' }))
    this.#beat()
    for (const { atMs, text } of this.#options.prompts) this.#after(atMs, () => this.#push(query, text))
    const end = await this.#ended
    signal?.removeEventListener('abort', stop)
    for (const cancel of this.#cancels) cancel()
    this.#recorder.write({ kind: 'end', why: end.why })
    await query.close()
    return end
  }

  #hookEvents(): string[] {
    const { hangHook } = this.#options
    return [...new Set([...HOOK_EVENTS, ...(hangHook === undefined ? [] : [hangHook])])]
  }

  #push(query: LiveQuery, text: string): void {
    this.#pushed += 1
    const message = `m${this.#pushed}`
    this.#recorder.write({ kind: 'claim', message })
    this.#open.set(query.push(text), message)
  }

  #message(message: ClaudeMessage): void {
    this.#recorder.event(message)
    if (message.type !== 'result') return
    for (const uuid of this.#answeredBy(message)) {
      const name = this.#open.get(uuid)
      if (this.#open.delete(uuid) && name !== undefined) this.#recorder.write({ kind: 'done', message: name })
    }
    if (this.#open.size === 0 && this.#pushed === this.#options.prompts.length) this.#end({ why: 'answered' })
  }

  /** A failure that names nobody is everybody's; what else names nobody is the model speaking up by itself. */
  #answeredBy({ user_message_uuid: one, user_message_uuids: all, is_error: isError }: ClaudeMessage): string[] {
    const named = [...(all ?? []), ...(one === undefined ? [] : [one])]
    return named.length === 0 && isError === true ? [...this.#open.keys()] : named
  }

  #beat(): void {
    this.#after(BEAT_MS, () => {
      this.#recorder.write({ kind: 'beat' })
      this.#beat()
    })
  }

  #after(delayMs: number, then: () => void): void {
    const cancel = this.#world.setTimer(delayMs, () => {
      this.#cancels.delete(cancel)
      then()
    })
    this.#cancels.add(cancel)
  }
}
