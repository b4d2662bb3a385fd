import { tellRetryBrief } from '@sessiond/protocol'
import type { AgentContext, AgentHandler } from '../../agent-context.ts'
import type { AgentMessage } from '../../agent-message.ts'
import { type RunnerWorld, realRunnerWorld } from '../../world.ts'
import { tellBatch } from '../tell-batch.ts'
import type { ClaudeAgentOptions } from './claude-agent-options.ts'
import type { ClaudeMessage, ClaudeSdk } from './claude-sdk.ts'
import { LiveQuery } from './live-query.ts'
import { loadClaudeSdk } from './load-claude-sdk.ts'
import { SESSION_KEY, Turn, type TurnEnd } from './turn.ts'

/** What the SDK gives as ids. Anything else is not ours to hand to it. */
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** What the model said while nobody had asked, kept until somebody does. */
const MAX_UNHEARD = 20

/**
 * An agent on the Claude Agent SDK: one conversation a session, open for as long as the run lives and taken up again by
 * the next. Its tools, its waits for the model and its progress move the run's clocks.
 */
export function claudeAgent(options: ClaudeAgentOptions = {}): AgentHandler & AsyncDisposable {
  const agent = new ClaudeAgent(options, realRunnerWorld)
  const handler: AgentHandler = (messages, context) => agent.answer(messages, context)
  return Object.assign(handler, { [Symbol.asyncDispose]: () => agent.close() })
}

class ClaudeAgent {
  readonly #options: ClaudeAgentOptions
  readonly #world: RunnerWorld
  #query: LiveQuery | null = null
  /** The query was open before the turn in hand. */
  #isReused = false
  #turn: Turn | null = null
  #sessionId: string | null = null
  #namesAnswers = false
  #unheard: string[] = []

  constructor(options: ClaudeAgentOptions, world: RunnerWorld) {
    this.#options = options
    this.#world = world
  }

  async answer(messages: readonly AgentMessage[], context: AgentContext): Promise<string | undefined> {
    await this.#sayUnheard(context)
    const known = context.state.get(SESSION_KEY) ?? ''
    this.#sessionId ??= SESSION_ID.test(known) ? known : null
    const briefs = messages.flatMap(({ brief }) => (brief === null ? [] : [tellRetryBrief(brief)]))
    const text = tellBatch(messages, context, briefs)
    let end = await this.#turnOf(text, context)
    // Each of them once at most: a query that was just opened is not gone, and a new conversation is known.
    if (end.kind === 'gone') end = await this.#turnOf(text, context)
    if (end.kind === 'unknown-session') {
      context.progress(`claude: the conversation ${this.#sessionId} is not there any more, a new one begins`)
      this.#sessionId = null
      end = await this.#turnOf(text, context)
    }
    if (end.kind === 'answered') return end.text
    throw end.kind === 'failed' ? end.error : new Error('the SDK does not begin a conversation')
  }

  /** Ends the SDK's process; resolves when it is gone. */
  async close(): Promise<void> {
    const query = this.#query
    this.#query = null
    await query?.close()
  }

  async #turnOf(text: string, context: AgentContext): Promise<TurnEnd> {
    const sdk = await loadClaudeSdk(this.#options.sdk)
    context.signal.throwIfAborted()
    const resume = this.#sessionId
    const turn = new Turn({ context, world: this.#world, resume, namesAnswers: this.#namesAnswers })
    this.#turn = turn
    let stopped: Promise<void> | undefined
    const stop = () => {
      const query = this.#query
      this.#query = null
      stopped = query?.stop()
      turn.fail(context.signal.reason)
    }
    try {
      this.#isReused = this.#query !== null
      this.#query ??= this.#open(sdk, context.workDir, resume)
      turn.begin(this.#query.push(text))
      context.signal.addEventListener('abort', stop, { once: true })
      const end = await turn.ended
      await stopped
      if (end.kind === 'unknown-session') await this.close()
      return end
    } finally {
      context.signal.removeEventListener('abort', stop)
      this.#turn = null
    }
  }

  #open(sdk: ClaudeSdk, workDir: string, resume: string | null): LiveQuery {
    // What a query says that was given up is nothing to the one that took its place.
    const isCurrent = () => this.#query === query
    const query: LiveQuery = new LiveQuery({
      sdk,
      options: this.#options,
      workDir,
      resume,
      world: this.#world,
      listener: {
        message: (message) => {
          if (isCurrent()) this.#message(message)
        },
        hook: async (input) => {
          if (isCurrent()) this.#turn?.hook(input)
        },
        stderr: (text) => process.stderr.write(text),
        over: (error) => {
          if (isCurrent()) this.#over(error)
        },
      },
    })
    return query
  }

  #message(message: ClaudeMessage): void {
    const { type, subtype, session_id: sessionId } = message
    if (type === 'system' && subtype === 'init' && sessionId !== undefined) this.#sessionId = sessionId
    const turn = this.#turn
    turn?.message(message)
    if (type !== 'result') return
    if (message.user_message_uuid !== undefined) this.#namesAnswers = true
    if (turn === null && message.result !== undefined && message.is_error !== true) this.#keepUnheard(message.result)
  }

  #over(error: Error | undefined): void {
    this.#query = null
    this.#turn?.over(error ?? new Error('the SDK ended without an answer'), this.#isReused)
  }

  #keepUnheard(text: string): void {
    if (text !== '') this.#unheard = [...this.#unheard, text].slice(-MAX_UNHEARD)
  }

  async #sayUnheard(context: AgentContext): Promise<void> {
    for (const text of this.#unheard.splice(0)) await context.say(text)
  }
}
