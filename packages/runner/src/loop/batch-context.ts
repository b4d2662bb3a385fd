import { readSessionZone, type SessionZone, tellTime } from '@sessiond/protocol'
import type { AgentContext, ModelWait, SessionState, ToolLease, ToolOptions } from '../agent-context.ts'
import type { AgentMessage } from '../agent-message.ts'
import type { MailboxClient } from '../mailbox-client.ts'
import type { RunEnvironment } from '../run-environment.ts'
import type { OnStep } from '../steps.ts'
import type { RunnerWorld } from '../world.ts'
import type { HeldBatch } from './held-batch.ts'
import { replyContent } from './reply-content.ts'
import type { StateReporter } from './state-reporter.ts'

export interface BatchContextOptions {
  readonly environment: RunEnvironment
  readonly mailbox: MailboxClient
  readonly world: RunnerWorld
  readonly reporter: StateReporter
  readonly state: SessionState
  readonly held: HeldBatch
  readonly messages: readonly AgentMessage[]
  /** As the host states it, which this machine may not know. */
  readonly timeZone: string | null
  /** The one a plain answer goes to. */
  readonly message: AgentMessage
  /** Takes a line of the agent's own for the run's log. */
  readonly agentLog: (line: string) => void
  readonly onStep: OnStep
}

/** The context of one batch. Once closed it refuses every call that would write: the batch is acknowledged. */
export class BatchContext implements AgentContext {
  readonly session: string
  readonly group: string
  readonly epoch: number
  readonly workDir: string
  readonly timeZone: string
  readonly message: AgentMessage
  readonly signal: AbortSignal
  readonly state: SessionState
  /** Messages whose reply is on disk. */
  readonly answeredIds = new Set<string>()
  readonly #options: BatchContextOptions
  readonly #zone: SessionZone
  readonly #writes = new Set<Promise<void>>()
  #isClosed = false

  constructor(options: BatchContextOptions) {
    this.#options = options
    this.session = options.environment.session
    this.group = options.environment.session.split('/')[0] ?? ''
    this.epoch = options.environment.epoch
    this.workDir = options.environment.workDir
    this.#zone = readSessionZone(options.timeZone)
    this.timeZone = this.#zone.timeZone
    this.message = options.message
    this.signal = options.held.signal
    this.state = options.state
    // Handlers may take their tools apart: `({ reply, signal }) => …`.
    this.tellTime = this.tellTime.bind(this)
    this.reply = this.reply.bind(this)
    this.say = this.say.bind(this)
    this.progress = this.progress.bind(this)
    this.tool = this.tool.bind(this)
    this.modelWait = this.modelWait.bind(this)
  }

  tellTime(): string {
    return tellTime(this.#zone, this.#options.world.now())
  }

  reply(text: string, options: { readonly to?: AgentMessage | string } = {}): Promise<void> {
    return this.#tracked(async () => {
      const to = this.#find(options.to ?? this.message)
      await this.#write(text, to.id, to)
      this.answeredIds.add(to.id)
      this.#options.onStep('replied')
    })
  }

  say(text: string): Promise<void> {
    return this.#tracked(() => this.#write(text, null, this.message))
  }

  progress(text?: string): void {
    if (text !== undefined) this.#options.agentLog(text)
    // Output of a handler nobody waits for any more is no progress of anything.
    if (!this.#isClosed) this.#options.reporter.progress()
  }

  tool(name: string, options?: ToolOptions): ToolLease {
    this.#refuseWhenClosed()
    return this.#options.reporter.tool(name, options)
  }

  modelWait(): ModelWait {
    this.#refuseWhenClosed()
    return this.#options.reporter.modelWait()
  }

  /** Resolves when every write begun so far has ended, also those the handler did not wait for. */
  async settled(): Promise<void> {
    while (this.#writes.size > 0) await Promise.allSettled(this.#writes)
  }

  close(): void {
    this.#isClosed = true
  }

  /** Remembers the call until it has ended, so that the batch is judged with all its replies. */
  #tracked(call: () => Promise<void>): Promise<void> {
    const write = call()
    const ended = () => this.#writes.delete(write)
    this.#writes.add(write)
    write.then(ended, ended)
    return write
  }

  async #write(text: string, inReplyTo: string | null, to: AgentMessage): Promise<void> {
    this.#refuseWhenClosed()
    const { mailbox, world } = this.#options
    await mailbox.reply({ id: world.newId('r-'), inReplyTo, content: replyContent(text), address: to.address })
  }

  #find(to: AgentMessage | string): AgentMessage {
    const id = typeof to === 'string' ? to : to.id
    const message = this.#options.messages.find((candidate) => candidate.id === id)
    if (message === undefined) throw new Error(`no message "${id}" in this batch to reply to`)
    return message
  }

  #refuseWhenClosed(): void {
    if (this.#options.held.isSuperseded) throw new Error('a newer run owns the session')
    if (this.#isClosed) throw new Error('this batch has ended: its messages are acknowledged')
  }
}
