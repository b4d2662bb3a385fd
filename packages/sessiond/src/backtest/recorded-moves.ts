import { isAgentTool, meaningOfAgentEvent, type OpenTool, type RecordingLine } from '@sessiond/protocol'
import type { ClockMove } from '../observe/run-clocks.ts'

/**
 * Reads a recording as the clock moves a runner would have reported of the same turn: raw events of the agent's SDK are
 * mapped as the runner maps them, what only the model server saw is left out.
 */
export class RecordedMoves {
  /** Tools in flight, by id; a recording that numbers none has them told apart by name, oldest ended first. */
  readonly #open = new Map<number, { readonly name: string; readonly isBackground: boolean }>()
  #lastId = 0
  #isWaiting = false
  /** The wait is a subagent's, of whose answer only the end is told. */
  #isWaitOfAgent = false
  #isStreaming = false
  /** An agent has begun; whether it goes on, its tool tells. */
  #hasAgentBegun = false
  #activityAtMs = 0

  of(line: RecordingLine): ClockMove[] {
    switch (line.kind) {
      case 'claim':
        return [{ clock: 'claim', messageId: line.message }]
      case 'done':
        return [{ clock: 'claim-end', messageId: line.message }, ...this.#waitEnds()]
      case 'beat':
        return [{ clock: 'beat' }]
      case 'progress':
      case 'ping':
        return [{ clock: line.kind }]
      case 'sdk-event':
        return this.#eventMoves(line.event)
      case 'sdk-hook':
        return line.hook === 'UserPromptSubmit' ? [{ clock: 'progress' }, ...this.#request()] : [{ clock: 'progress' }]
      case 'tool-start':
        return this.#toolStarts(line)
      case 'tool-renew':
        return this.#toolRenews(line.id, line.timeoutMs)
      case 'tool-end':
        return this.#toolEnds(line.id, line.tool)
      case 'model-wait':
        return this.#held(line)
      case 'model-wait-end':
        return this.#waitEnds()
      case 'activity':
        return [this.#sample(line)]
      default:
        return []
    }
  }

  #eventMoves(event: string): ClockMove[] {
    switch (meaningOfAgentEvent(event)) {
      case 'progress':
        // What is told whole, outside of any stream, an agent's model has answered.
        return [{ clock: 'progress' }, ...(this.#isWaitOfAgent && !this.#isStreaming ? this.#waitEnds() : [])]
      case 'returned':
        return [{ clock: 'progress' }, ...this.#returned()]
      case 'request':
        this.#isWaitOfAgent = false
        return this.#request()
      case 'stream':
        this.#isWaitOfAgent = false
        this.#isStreaming = true
        return [{ clock: 'progress' }, ...this.#waitFor('stream')]
      case 'answered':
        return [{ clock: 'progress' }, ...this.#waitEnds(), ...this.#waitForAgent()]
      case 'ping':
        return [{ clock: 'ping' }]
      case 'nothing':
        return event === 'system/task_started' ? this.#taskStarts() : []
    }
  }

  #returned(): ClockMove[] {
    // While another tool runs the model is not asked: its hang must not pass for a wait.
    if (this.#isToolAwaited()) return []
    // An agent's question does not push aside the answer the turn itself is getting.
    if (this.#isAgentAtWork()) return this.#isStreaming ? [] : this.#waitForAgent()
    return this.#waitFor('request')
  }

  /** Said more than once of the same wait: the first time counts. */
  #request(): ClockMove[] {
    return this.#isWaiting ? [] : this.#waitFor('request')
  }

  #taskStarts(): ClockMove[] {
    // A shell that takes long is told as a task as well.
    if (!this.#isToolAwaited() && this.#isAgentOpen()) this.#hasAgentBegun = true
    return this.#waitForAgent()
  }

  /** An agent that runs no tool asks its model, and says nothing of it. A shell that hangs must not pass for that. */
  #waitForAgent(): ClockMove[] {
    if (this.#isWaiting || !this.#isAgentAtWork() || this.#isToolAwaited()) return []
    this.#isWaitOfAgent = true
    return this.#waitFor('request')
  }

  #waitFor(reason: 'request' | 'stream'): ClockMove[] {
    this.#isWaiting = true
    return [{ clock: 'wait', wait: { reason, forMs: null } }]
  }

  #waitEnds(): ClockMove[] {
    this.#isWaiting = false
    this.#isWaitOfAgent = false
    this.#isStreaming = false
    return [{ clock: 'wait-end' }]
  }

  #held(line: RecordingLine & { readonly kind: 'model-wait' }): ClockMove[] {
    this.#isWaiting = true
    this.#isStreaming = false
    const forMs = line.untilMs === null ? null : Math.max(0, line.untilMs - line.t)
    return [{ clock: 'wait', wait: { reason: line.reason, forMs } }]
  }

  #toolStarts(line: RecordingLine & { readonly kind: 'tool-start' }): ClockMove[] {
    this.#lastId = Math.max(this.#lastId + 1, line.id ?? 0)
    const tool: OpenTool = {
      id: line.id ?? this.#lastId,
      name: line.tool,
      timeoutMs: line.timeoutMs,
      expectedMs: line.expectedMs ?? null,
      isBackground: line.background ?? false,
      renewals: 0,
    }
    this.#open.set(tool.id, { name: tool.name, isBackground: tool.isBackground })
    return [{ clock: 'progress' }, { clock: 'tool', tool }]
  }

  #toolRenews(id: number, timeoutMs: number | null): ClockMove[] {
    const name = this.#open.get(id)?.name
    if (name === undefined) return []
    const tool: OpenTool = { id, name, timeoutMs, expectedMs: null, isBackground: false, renewals: 1 }
    return [{ clock: 'progress' }, { clock: 'tool', tool }]
  }

  #toolEnds(id: number | undefined, name: string): ClockMove[] {
    const ended = id ?? [...this.#open].find(([, open]) => open.name === name)?.[0]
    if (ended === undefined) return [{ clock: 'progress' }]
    this.#open.delete(ended)
    if (!this.#isAgentOpen()) this.#hasAgentBegun = false
    return [{ clock: 'progress' }, { clock: 'tool-end', id: ended }]
  }

  /** Agents left aside: they wait for their own. */
  #isToolAwaited(): boolean {
    return [...this.#open.values()].some(({ name, isBackground }) => !isBackground && !isAgentTool(name))
  }

  #isAgentOpen(): boolean {
    return [...this.#open.values()].some(({ name }) => isAgentTool(name))
  }

  #isAgentAtWork(): boolean {
    return this.#hasAgentBegun && this.#isAgentOpen()
  }

  #sample(line: RecordingLine & { readonly kind: 'activity' }): ClockMove {
    const overMs = Math.min(SAMPLE_MS, Math.max(1, line.t - this.#activityAtMs))
    this.#activityAtMs = line.t
    const { cpuMs, ioBytes, processes } = line
    return { clock: 'activity', sample: { cpuMs, ioBytes, processes, overMs } }
  }
}

/** A recording has a line every 5 s; a longer gap is one in the recording, not in what was measured. */
const SAMPLE_MS = 5_500
