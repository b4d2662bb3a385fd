import type { RecordedMove, RecordingLine } from '@sessiond/protocol'
import type { ClaudeHookInput, ClaudeMessage } from './claude-sdk.ts'
import { eventNameOf } from './event-name.ts'
import { heldOffBy } from './provider-trouble.ts'
import { type ToolCall, ToolCalls } from './tool-calls.ts'

/** Hooks that tools are told by: their lines are the tool's own. */
const TOOL_HOOKS: readonly string[] = ['PreToolUse', 'PostToolUse', 'PostToolUseFailure']

export interface ClaudeRecorderOptions {
  /** Ms since the recording began. */
  readonly elapsedMs: () => number
  readonly onLine: (line: RecordingLine) => void
}

/** Writes down all that passes through the SDK, as recordings have it: raw, what it means is the reader's to say. */
export class ClaudeRecorder {
  readonly #options: ClaudeRecorderOptions
  readonly #tools: ToolCalls
  readonly #toolIds = new Map<string, number>()

  constructor(options: ClaudeRecorderOptions) {
    this.#options = options
    this.#tools = new ToolCalls({
      started: (call) => this.#toolStarted(call),
      ended: ({ id, name }, ok) => this.write({ kind: 'tool-end', ...this.#numbered(id), tool: name, ok }),
    })
  }

  write(move: RecordedMove): void {
    this.#options.onLine({ t: Math.round(this.#options.elapsedMs()), ...move })
  }

  event(message: ClaudeMessage): void {
    this.write({ kind: 'sdk-event', event: eventNameOf(message) })
    this.#tools.event(message)
    if (message.type === 'system' && message.subtype === 'api_retry') this.#heldOff(message)
  }

  hook(input: ClaudeHookInput): void {
    const { hook_event_name: hook } = input
    if (TOOL_HOOKS.includes(hook)) this.#tools.hook(input)
    else this.write({ kind: 'sdk-hook', hook })
  }

  stderr(text: string): void {
    this.write({ kind: 'stderr', bytes: Buffer.byteLength(text) })
  }

  #toolStarted({ id, name, timeoutMs, isBackground, isAgent }: ToolCall): void {
    this.#toolIds.set(id, this.#toolIds.size + 1)
    const background = isBackground && !isAgent
    this.write({ kind: 'tool-start', ...this.#numbered(id), tool: name, timeoutMs, background })
  }

  /** Requests and streams are in the events; that the provider said not now, and for how long, is not. */
  #heldOff(message: ClaudeMessage): void {
    const { retry_delay_ms: delayMs } = message
    const untilMs = delayMs === undefined ? null : Math.round(this.#options.elapsedMs() + delayMs)
    this.write({ kind: 'model-wait', reason: heldOffBy(message), untilMs })
  }

  #numbered(id: string): { readonly id?: number } {
    const number = this.#toolIds.get(id)
    return number === undefined ? {} : { id: number }
  }
}
