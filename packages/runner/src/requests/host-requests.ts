import type { RequestAction } from '@sessiond/protocol'

/** What came of a request: words for the agent. `refused`: nothing was changed. */
export interface HostAnswer {
  readonly status: 'ok' | 'refused'
  readonly text: string
}

export interface HostRequest {
  readonly action: RequestAction
  readonly [parameter: string]: unknown
}

/**
 * An agent's way to its host, beside the runner's claim loop: files are one, a gateway another. What is asked is durable
 * before it is waited for, and is done whether or not the answer is waited for.
 */
export interface HostRequests {
  /** Asks, and waits for the answer, `waitMs` at most; null: none came in time, or `signal` ended the waiting. */
  ask(request: HostRequest, waitMs: number, signal: AbortSignal): Promise<HostAnswer | null>
  /** Says something to the user, where the message came from that is being worked on. Resolves when it is on disk. */
  say(text: string): Promise<void>
  /** Finishes what is being written; what is waited for is given up by its signal. */
  close(): Promise<void>
}
