import type { AgentMessage } from './agent-message.ts'

/** A tool in flight, as the host sees it. */
export interface ToolLease {
  /** Starts the declared time-out anew, or another one: the tool lives and needs as long again. */
  renew(options?: { readonly timeoutMs?: number }): void
  /** The tool is done. Idempotent. */
  end(): void
}

export interface ToolOptions {
  /** How long the tool may be silent before it counts as hung; whoever declares it enforces it. */
  readonly timeoutMs?: number
  /** How long it usually takes, if known. */
  readonly expectedMs?: number
  /** True: nobody waits for it, the turn goes on without it; it is then never called hung. @default false */
  readonly background?: boolean
}

/** A question to a model (or to any service that may think for long), from the moment it is sent. */
export interface ModelWait {
  /** The answer begins to come. What it brings is for `progress`. */
  streaming(): void
  /** A keep-alive came: the other side lives, which is no progress. */
  ping(): void
  /** The other side said not now, and for how long; left out: not known. It is asked again after that. */
  heldOff(because: 'retry' | 'rate-limit' | 'outage', forMs?: number): void
  /** The answer is whole, or given up. Idempotent. */
  end(): void
}

/** Values of the session that outlive its runs: at most 256 keys of 128 characters, 64 KiB each. */
export interface SessionState {
  get(key: string): string | undefined
  /** Resolves when the value is on disk. */
  set(key: string, value: string): Promise<void>
}

/** What a handler can do while it works on its messages. */
export interface AgentContext {
  /** `<group>/<session>`. */
  readonly session: string
  readonly group: string
  readonly epoch: number
  /** The workspace: absolute, kept across runs. */
  readonly workDir: string
  /** IANA zone of the session, always one that this machine knows: UTC where it does not know the host's, or the host says none. */
  readonly timeZone: string
  /** The last message that asks for something; what a returned string answers. */
  readonly message: AgentMessage
  /**
   * Aborted when the host gave up a message of the batch or the run has to stop. Let go soon: what is still at
   * work after a few seconds is killed.
   */
  readonly signal: AbortSignal
  readonly state: SessionState
  /** The line an agent's batch should begin with: the session's zone, and now, by this machine's clock. `tellBatch` begins so. */
  tellTime(): string
  /**
   * Answers a message of the batch, the last one unless `to` names another; resolves when the answer is on disk. A
   * message that was replied to counts as answered and is never run again, whatever happens afterwards.
   */
  reply(text: string, options?: { readonly to?: AgentMessage | string }): Promise<void>
  /** Says something on the way that answers nothing; resolves when it is on disk. */
  say(text: string): Promise<void>
  /** The agent did something (output, a step done). Not for timers: this is what tells work from a hang. */
  progress(text?: string): void
  /** Tells the host that a tool starts and how long it may take. Tools may be nested and run beside each other. */
  tool(name: string, options?: ToolOptions): ToolLease
  /**
   * Tells the host that a model is being waited for. One at a time: a later one takes its place. A handler that never
   * calls this, `tool` or `progress` is taken to wait for something all the time it works.
   */
  modelWait(): ModelWait
}

/**
 * Works on messages, oldest first; the last one asks for something, those before it may be context. A returned
 * string answers the last and completes them all; returning nothing completes them without an answer; throwing
 * fails what was not answered, to be tried again.
 */
export type AgentHandler = (
  messages: readonly AgentMessage[],
  context: AgentContext,
) => string | undefined | Promise<string | undefined> | void | Promise<void>
