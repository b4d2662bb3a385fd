import type { RecordingLine } from '@sessiond/protocol'
import type { Judge, Judgement } from '../../src/backtest/judge.ts'
import { isAgentEvent } from '../../src/backtest/policy-judge.ts'

/** The rules of today's supervisors: death is a time without a line of some kind, from the claim on. */
export class SilenceRule implements Judge {
  readonly #limitMs: number
  readonly #isLife: (line: RecordingLine) => boolean
  #claimedAtMs: number | null = null
  #lifeAtMs: number | null = null
  #hasExited = false

  constructor(limitMs: number, isLife: (line: RecordingLine) => boolean) {
    this.#limitMs = limitMs
    this.#isLife = isLife
  }

  note(line: RecordingLine): void {
    if (line.kind === 'claim') this.#claimedAtMs = line.t
    if (line.kind === 'done') this.#claimedAtMs = null
    if (line.kind === 'exit') this.#hasExited = true
    if (this.#isLife(line)) this.#lifeAtMs = line.t
  }

  slept(): void {}

  judge(atMs: number): Judgement {
    if (this.#hasExited) return { verdict: 'exited' }
    if (this.#claimedAtMs === null) return { verdict: 'leave', recheckInMs: null }
    const silentForMs = atMs - Math.max(this.#claimedAtMs, this.#lifeAtMs ?? 0)
    if (silentForMs > this.#limitMs) return { verdict: 'stop', reason: 'silence', evidence: { silentForMs } }
    return { verdict: 'leave', recheckInMs: this.#limitMs - silentForMs + 1 }
  }
}

export const heartbeatRule = (limitMs: number): Judge => new SilenceRule(limitMs, ({ kind }) => kind === 'beat')
export const anyEventRule = (limitMs: number): Judge => new SilenceRule(limitMs, isAgentEvent)
