import type { RecordingLine } from '@sessiond/protocol'

/** What a judge says at one instant; `recheckInMs` null: only a new line can change it. */
export type Judgement =
  | { readonly verdict: 'leave'; readonly recheckInMs: number | null }
  | { readonly verdict: 'stop'; readonly reason: string; readonly evidence: Readonly<Record<string, unknown>> }
  | { readonly verdict: 'exited' }

/** One way to tell a stuck run, fed with a recording line by line as a host would have seen it. */
export interface Judge {
  note(line: RecordingLine): void
  /** The host was away from `atMs` on for `forMs`; what it does then is the judge's own. */
  slept(atMs: number, forMs: number): void
  judge(atMs: number): Judgement
}
