/** What an agent asked its host to do, as its run wrote it: checked for size, nothing of it believed. */
export interface AgentRequest {
  /** Order of arrival over all sessions. */
  readonly ordinal: number
  readonly id: string
  readonly sessionId: string
  readonly epoch: number
  /** JSON text of an object with a text `action`. */
  readonly content: string
  readonly createdAtMs: number
}

/** What became of a request, in words for the agent. */
export interface RequestAnswer {
  readonly status: 'ok' | 'refused'
  readonly text: string
}
