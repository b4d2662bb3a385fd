import { meaningOfAgentEvent } from '@sessiond/protocol'
import type { AgentContext, ModelWait, ToolLease } from '../../agent-context.ts'
import type { ClaudeHookInput, ClaudeMessage } from './claude-sdk.ts'
import { eventNameOf } from './event-name.ts'
import { heldOffBy } from './provider-trouble.ts'
import { type ToolCall, ToolCalls } from './tool-calls.ts'

/** Turns what the SDK tells during one turn into the movements of the run's clocks. */
export class TurnClocks {
  readonly #context: Pick<AgentContext, 'progress' | 'tool' | 'modelWait'>
  readonly #leases = new Map<string, ToolLease>()
  readonly #tools: ToolCalls
  #wait: ModelWait | null = null
  /** The wait is a subagent's, of whose answer only the end is told. */
  #isWaitOfAgent = false
  /** Nothing of an answer has come. */
  #isUnanswered = false

  constructor(context: Pick<AgentContext, 'progress' | 'tool' | 'modelWait'>) {
    this.#context = context
    this.#tools = new ToolCalls({ started: (call) => this.#open(call), ended: (call) => this.#close(call) })
  }

  /** Agents go on in the background: the turn is not over though the model has answered. */
  get hasAgents(): boolean {
    return this.#tools.hasAgents
  }

  hook(input: ClaudeHookInput): void {
    this.#tools.hook(input)
  }

  event(message: ClaudeMessage): void {
    this.#tools.event(message)
    const isOfAgent = typeof message.parent_tool_use_id === 'string'
    switch (meaningOfAgentEvent(eventNameOf(message))) {
      case 'progress':
        this.#context.progress()
        if (isOfAgent && this.#isWaitOfAgent) this.#endWait()
        break
      case 'returned':
        this.#context.progress()
        // While another tool runs the model is not asked: its hang must not pass for a wait.
        if (!this.#tools.isAwaited) this.#beginWait(isOfAgent)
        break
      case 'request':
        // The same event says that a mode has changed, or that nothing is asked any more.
        if (message.status !== null) this.#beginWait(false)
        break
      case 'stream':
        if (this.#wait === null) this.#beginWait(isOfAgent)
        this.#isUnanswered = false
        this.#wait?.streaming()
        break
      case 'ping':
        this.#wait?.ping()
        break
      case 'answered':
        this.#endWait()
        this.#waitForAgent()
        break
      case 'nothing':
        this.#heed(message)
    }
  }

  /** The turn is over: nothing of it is open any more. */
  end(): void {
    this.#tools.endAll()
    this.#endWait()
  }

  #heed(message: ClaudeMessage): void {
    const { type, subtype } = message
    if (type !== 'system') return
    if (subtype === 'api_retry') {
      if (this.#wait === null) this.#beginWait(false)
      this.#isUnanswered = false
      this.#wait?.heldOff(heldOffBy(message), message.retry_delay_ms)
    }
    if (subtype === 'task_started') this.#waitForAgent()
  }

  /** An agent that runs no tool asks its model, and says nothing of it. A shell that hangs must not pass for that. */
  #waitForAgent(): void {
    if (this.#wait === null && this.#tools.isAgentAtWork && !this.#tools.isAwaited) this.#beginWait(true)
  }

  #beginWait(isOfAgent: boolean): void {
    // A subagent's question does not push aside what the turn itself waits for.
    if (isOfAgent && this.#wait !== null && !this.#isWaitOfAgent) return
    // One question is announced twice: by the result it goes out with, and by itself.
    if (this.#wait !== null && this.#isUnanswered && this.#isWaitOfAgent === isOfAgent) return
    this.#wait = this.#context.modelWait()
    this.#isWaitOfAgent = isOfAgent
    this.#isUnanswered = true
  }

  #endWait(): void {
    this.#wait?.end()
    this.#wait = null
    this.#isWaitOfAgent = false
  }

  #open({ id, name, timeoutMs, isBackground, isAgent }: ToolCall): void {
    const lease = this.#context.tool(name, {
      // The answer of an agent is waited for, wherever it runs.
      background: isBackground && !isAgent,
      ...(timeoutMs === null ? {} : { timeoutMs }),
    })
    this.#leases.set(id, lease)
  }

  #close({ id }: ToolCall): void {
    this.#leases.get(id)?.end()
    this.#leases.delete(id)
  }
}
