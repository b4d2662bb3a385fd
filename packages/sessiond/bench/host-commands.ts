import type { ProcessFigures } from './process-figures.ts'

export interface SweepQuestion {
  readonly times: number
  readonly warmUps: number
}

export interface SweepFigures {
  /** CPU of the host process, one figure a sweep. */
  readonly cpuMs: readonly number[]
  readonly tookMs: readonly number[]
  readonly sessions: number
  readonly readersCpuMsPerSweep: number | null
  /** Longest time between two turns of the event loop while sweeps ran. */
  readonly maxBlockMs: number
}

export interface SendRateQuestion {
  readonly group: string
  /** Loops that each send, wait for the receipt, and send again. */
  readonly senders: number
  /** Messages in one call; 1: `send`, more: `sendMany`. */
  readonly batch: number
  /** True: all messages of a call go to one session, those of the next to the next one. */
  readonly isOneSession: boolean
  readonly forMs: number
}

export interface SendRateFigures {
  readonly acknowledged: number
  readonly tookMs: number
  readonly cpuMs: number
}

export interface HostUsage {
  readonly cpuMs: number
  readonly rssBytes: number
  readonly peakRssBytes: number
  readonly readers: ProcessFigures | null
}

/** What the process around a host can be asked, with its answers. */
export interface HostCommands {
  sweep(question: SweepQuestion): Promise<SweepFigures>
  sendRate(question: SendRateQuestion): Promise<SendRateFigures>
  usage(): Promise<HostUsage>
  stop(): Promise<void>
}

export interface CommandCall {
  readonly id: number
  readonly name: keyof HostCommands
  readonly question: unknown
}

export type CommandAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }

/** The first word of the process: where its host listens, or why it does not. */
export type Greeting = { readonly apiUrl: string; readonly installId: string } | { readonly error: string }
