/**
 * What the bundled runner should run. Travels as JSON in the environment variable `SESSIOND_AGENT`,
 * so an old runner may meet fields it does not know and must ignore them.
 */
export interface CommandAgentSpec {
  readonly kind: 'command'
  /** Program and arguments; never passed through a shell. */
  readonly command: readonly string[]
  /** `message`: one process per message. `batch`: one process for all messages claimed together. */
  readonly per: 'message' | 'batch'
  /** Declared time-out of one command, enforced by the runner and told to the host as the tool's lease. */
  readonly timeoutMs: number
  /** Longest reply kept, in bytes; what comes after is cut and the reply says so. */
  readonly maxReplyBytes: number
}

export type AgentSpec = CommandAgentSpec
