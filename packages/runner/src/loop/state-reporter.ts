import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import type { ToolLease, ToolOptions } from '../agent-context.ts'
import type { ReportedState } from '../mailbox-client.ts'
import type { RunnerWorld } from '../world.ts'

/** Progress comes by the line; the host needs to see that it moved, not each move. */
const PROGRESS_GAP_MS = 1_000
/** A tool's start widens the host's patience, so it is told nearly at once. */
const TOOL_GAP_MS = 50

interface OpenTool {
  readonly name: string
  readonly timeoutMs: number | null
  readonly expectedMs: number | null
  startedAtMs: number
}

export interface StateReporterOptions {
  readonly world: RunnerWorld
  /** Writes the state; the reporter neither waits for it nor sees it fail. */
  readonly write: (state: ReportedState) => void
}

/** Keeps what `container_state` shall say and has it written, soon but not often. */
export class StateReporter {
  readonly #options: StateReporterOptions
  /** Oldest first; the newest open tool is the one shown. */
  readonly #tools = new Set<OpenTool>()
  #progressSeq = 0
  #progressAtMs: number | null = null
  #isChanged = false
  #writtenAtMs = Number.NEGATIVE_INFINITY
  #timer: { readonly dueAtMs: number; readonly cancel: () => void } | null = null

  constructor(options: StateReporterOptions) {
    this.#options = options
  }

  progress(): void {
    this.#move()
    this.#writeAfter(PROGRESS_GAP_MS)
  }

  tool(name: string, options: ToolOptions = {}): ToolLease {
    const tool: OpenTool = {
      name: name.slice(0, PROTOCOL_LIMITS.toolNameChars),
      timeoutMs: wholeMs(options.timeoutMs),
      expectedMs: wholeMs(options.expectedMs),
      startedAtMs: this.#options.world.now(),
    }
    this.#tools.add(tool)
    this.#toolMoved()
    return {
      renew: () => {
        if (!this.#tools.has(tool)) return
        tool.startedAtMs = this.#options.world.now()
        this.#toolMoved()
      },
      end: () => {
        if (this.#tools.delete(tool)) this.#toolMoved()
      },
    }
  }

  /** Ends every tool still open: its handler is gone. */
  endTools(): void {
    if (this.#tools.size === 0) return
    this.#tools.clear()
    this.#toolMoved()
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

  #toolMoved(): void {
    // A tool's start and end are progress too: the agent did something.
    this.#move()
    this.#writeAfter(TOOL_GAP_MS)
  }

  #move(): void {
    this.#progressSeq += 1
    this.#progressAtMs = this.#options.world.now()
    this.#isChanged = true
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
    const tool = [...this.#tools].at(-1)
    return {
      tool: tool?.name ?? null,
      toolDeclaredTimeoutMs: tool?.timeoutMs ?? null,
      toolExpectedMs: tool?.expectedMs ?? null,
      toolStartedAtMs: tool?.startedAtMs ?? null,
      progressAtMs: this.#progressAtMs,
      progressSeq: this.#progressSeq,
    }
  }
}

/** A figure the database takes for an integer; null for one that says nothing. */
function wholeMs(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) || ms < 0 ? null : Math.min(Math.round(ms), Number.MAX_SAFE_INTEGER)
}
