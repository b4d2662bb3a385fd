import { isAgentTool } from '@sessiond/protocol'
import type { ClaudeHookInput, ClaudeMessage } from './claude-sdk.ts'
import { refusalOf } from './refused-tools.ts'

/** A tool call as it began. */
export interface ToolCall {
  /** The SDK's own id of it. */
  readonly id: string
  readonly name: string
  /** How long it may be silent, as the model declared it; null: it declared nothing. */
  readonly timeoutMs: number | null
  readonly isBackground: boolean
  /** It starts an agent of its own, whose tools are told apart from it. */
  readonly isAgent: boolean
}

export interface ToolMoves {
  started(call: ToolCall): void
  ended(call: ToolCall, isOk: boolean): void
}

/** What the SDK's shell allows a command that declares nothing is its own affair: only what was declared is told. */
const DECLARED_BY = { tool: 'Bash', field: 'timeout' } as const

/**
 * Follows which tools are in flight. Hooks tell of both ends of a call; results and task notices tell of ends whose hook
 * never comes: a call that was refused, an agent that goes on in the background.
 */
export class ToolCalls {
  readonly #moves: ToolMoves
  readonly #open = new Map<string, ToolCall>()
  /** Agents that go on though their tool call has returned: the call's id by their task's. */
  readonly #agents = new Map<string, string>()
  /** Agents a turn is held up for; they may yet be moved to the background. */
  readonly #heldAgents = new Map<string, string>()

  constructor(moves: ToolMoves) {
    this.#moves = moves
  }

  /** An agent is still at work for which the turn was not held up. */
  get hasAgents(): boolean {
    return this.#agents.size > 0
  }

  /** An agent has begun and not ended, wherever it runs. */
  get isAgentAtWork(): boolean {
    return [...this.#agents.values(), ...this.#heldAgents.values()].some((id) => this.#open.has(id))
  }

  /** A tool is in flight that is waited for, agents left aside: they wait for their own. */
  get isAwaited(): boolean {
    return [...this.#open.values()].some(({ isBackground, isAgent }) => !isBackground && !isAgent)
  }

  hook(input: ClaudeHookInput): void {
    const { hook_event_name: hook, tool_use_id: id } = input
    if (id === undefined) return
    if (hook === 'PreToolUse') this.#start(toolCallOf(id, input))
    if (hook === 'PostToolUse') this.#returned(id, true)
    if (hook === 'PostToolUseFailure') this.#returned(id, false)
  }

  event(message: ClaudeMessage): void {
    if (message.type === 'user') {
      for (const result of resultsIn(message)) this.#returned(result.id, result.isOk)
    }
    if (message.type === 'system') this.#heedTask(message)
  }

  /** Nothing is in flight any more, whatever was heard of it. */
  endAll(): void {
    this.#agents.clear()
    this.#heldAgents.clear()
    for (const id of [...this.#open.keys()]) this.#end(id, false)
  }

  #start(call: ToolCall): void {
    // What is refused never runs.
    if (this.#open.has(call.id) || refusalOf(call.name) !== undefined) return
    this.#open.set(call.id, call)
    this.#moves.started(call)
  }

  #returned(id: string, isOk: boolean): void {
    if (![...this.#agents.values()].includes(id)) this.#end(id, isOk)
  }

  #heedTask(message: ClaudeMessage): void {
    const { subtype, task_id: taskId, tool_use_id: id } = message
    if (subtype === 'background_tasks_changed') this.#keepAgents(message.tasks ?? [])
    if (taskId === undefined) return
    if (subtype === 'task_started' && id !== undefined && message.task_type === 'local_agent') {
      const agents = message.is_backgrounded === false ? this.#heldAgents : this.#agents
      agents.set(taskId, id)
    }
    const heldId = this.#heldAgents.get(taskId)
    if (subtype === 'task_updated' && heldId !== undefined && message.patch?.is_backgrounded === true) {
      this.#agents.set(taskId, heldId)
    }
    if (subtype === 'task_notification') this.#agentEnded(taskId, message.status === 'completed')
  }

  /** The list is complete: an agent it no longer names has ended, whether or not its own notice was heard. */
  #keepAgents(tasks: readonly { readonly task_id?: string }[]): void {
    const ids = new Set(tasks.map(({ task_id }) => task_id))
    for (const taskId of [...this.#agents.keys()]) {
      if (!ids.has(taskId)) this.#agentEnded(taskId, false)
    }
  }

  #agentEnded(taskId: string, isOk: boolean): void {
    const id = this.#agents.get(taskId)
    this.#agents.delete(taskId)
    this.#heldAgents.delete(taskId)
    if (id !== undefined) this.#end(id, isOk)
  }

  #end(id: string, isOk: boolean): void {
    const call = this.#open.get(id)
    if (call === undefined) return
    this.#open.delete(id)
    this.#moves.ended(call, isOk)
  }
}

function toolCallOf(id: string, { tool_name: name = 'tool', tool_input: input }: ClaudeHookInput): ToolCall {
  const fields = isRecord(input) ? input : {}
  const declared = name === DECLARED_BY.tool ? fields[DECLARED_BY.field] : undefined
  return {
    id,
    name,
    timeoutMs: typeof declared === 'number' && Number.isFinite(declared) && declared > 0 ? declared : null,
    isBackground: fields.run_in_background === true,
    isAgent: isAgentTool(name),
  }
}

function resultsIn({ message }: ClaudeMessage): { readonly id: string; readonly isOk: boolean }[] {
  if (!Array.isArray(message?.content)) return []
  return message.content.flatMap((block: unknown) => {
    if (!isRecord(block) || block.type !== 'tool_result' || typeof block.tool_use_id !== 'string') return []
    return [{ id: block.tool_use_id, isOk: block.is_error !== true }]
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
