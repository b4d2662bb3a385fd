import type { ModelWait, ToolLease, ToolOptions } from '../agent-context.ts'
import type { ReportedState } from '../mailbox-client.ts'
import type { RunnerWorld } from '../world.ts'
import { type Haste, OpenWorkLedger } from './open-work-ledger.ts'

/** Progress comes by the line; the host needs to see that it moved, not each move. What opens and closes widens and narrows its patience, and is told nearly at once. */
const GAP_MS: Readonly<Record<Haste, number>> = { later: 1_000, soon: 50 }

export interface StateReporterOptions {
  readonly world: RunnerWorld
  /** Writes the state; the reporter neither waits for it nor sees it fail. */
  readonly write: (state: ReportedState) => void
}

/** Keeps what `container_state` shall say and has it written, soon but not often. */
export class StateReporter {
  readonly #options: StateReporterOptions
  readonly #work: OpenWorkLedger
  #progressSeq = 0
  #progressAtMs: number | null = null
  #isChanged = false
  #writtenAtMs = Number.NEGATIVE_INFINITY
  #timer: { readonly dueAtMs: number; readonly cancel: () => void } | null = null

  constructor(options: StateReporterOptions) {
    this.#options = options
    this.#work = new OpenWorkLedger({
      now: () => options.world.now(),
      onChange: (haste, isProgress) => this.#changed(haste, isProgress),
    })
  }

  progress(): void {
    this.#changed('later', true)
  }

  tool(name: string, options?: ToolOptions): ToolLease {
    return this.#work.tool(name, options)
  }

  modelWait(): ModelWait {
    return this.#work.modelWait()
  }

  /** A batch is about to be claimed; what this changes is to be written along with the claim. */
  beginBatch(): ReportedState {
    this.#work.beginBatch()
    this.#noteWritten()
    return this.#state()
  }

  /** The handler is gone, and what it left open with it. */
  endBatch(): void {
    this.#work.endBatch()
  }

  /** What is not written yet, for a caller who writes it along with something else. */
  take(): ReportedState | null {
    if (!this.#isChanged) return null
    this.#noteWritten()
    return this.#state()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #changed(haste: Haste, isProgress: boolean): void {
    if (isProgress) {
      this.#progressSeq += 1
      this.#progressAtMs = this.#options.world.now()
    }
    this.#isChanged = true
    this.#writeAfter(GAP_MS[haste])
  }

  #writeAfter(gapMs: number): void {
    const nowMs = this.#options.world.now()
    const dueAtMs = this.#writtenAtMs + gapMs
    // A clock that was set back would put the next write far off; it is then simply due.
    const waitMs = Math.min(dueAtMs - nowMs, gapMs)
    if (waitMs <= 0) {
      this.#writeNow()
      return
    }
    if (this.#timer !== null && this.#timer.dueAtMs <= dueAtMs) return
    this.#timer?.cancel()
    this.#timer = { dueAtMs, cancel: this.#options.world.setTimer(waitMs, () => this.#writeNow()) }
  }

  #writeNow(): void {
    const state = this.take()
    if (state !== null) this.#options.write(state)
  }

  #noteWritten(): void {
    this.stop()
    this.#isChanged = false
    this.#writtenAtMs = this.#options.world.now()
  }

  #state(): ReportedState {
    const tool = this.#work.newest()
    return {
      tool: tool?.name ?? null,
      toolDeclaredTimeoutMs: tool?.timeoutMs ?? null,
      toolExpectedMs: tool?.expectedMs ?? null,
      toolStartedAtMs: tool?.sinceMs ?? null,
      progressAtMs: this.#progressAtMs,
      progressSeq: this.#progressSeq,
      openWork: this.#work.openWork(),
    }
  }
}
