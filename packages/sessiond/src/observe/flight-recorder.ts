import type { RecordedMove, RecordingLine } from '@sessiond/protocol'
import type { ClockMove } from './run-clocks.ts'

/** Lines of one half; the recording holds between one and two of them, and drops the older when the newer is full. */
const HALF_LINES = 2_048

/** What a run has open, as the lines that opened it. */
interface Open {
  readonly claims: Map<string, RecordedMove>
  readonly tools: Map<number, RecordedMove>
  wait: RecordedMove | null
}

/**
 * Keeps what moved last of one run, bounded, in the format of recordings, so that a judgement can be replayed. Each half
 * begins with what was open then: a recording whose beginning was dropped is still one that can be judged.
 */
export class FlightRecorder {
  readonly #beganAtMs: number
  readonly #open: Open = { claims: new Map(), tools: new Map(), wait: null }
  #older: RecordingLine[] = []
  #newer: RecordingLine[] = []

  constructor(monotonicMs: number) {
    this.#beganAtMs = monotonicMs
  }

  note(move: ClockMove, monotonicMs: number): void {
    const t = Math.max(0, Math.round(monotonicMs - this.#beganAtMs))
    const line = lineOf(move, t, this.#open)
    if (line === null) return
    this.#add({ t, ...line })
    this.#remember(move, line)
  }

  noteStall(stalledMs: number, monotonicMs: number): void {
    const t = Math.max(0, Math.round(monotonicMs - stalledMs - this.#beganAtMs))
    this.#add({ t, kind: 'host-suspend', forMs: Math.round(stalledMs) })
  }

  /** Oldest first, without a `meta` line: the caller knows whose it is. */
  lines(): readonly RecordingLine[] {
    return [...this.#older, ...this.#newer]
  }

  #add(line: RecordingLine): void {
    if (this.#newer.length >= HALF_LINES) {
      this.#older = this.#newer
      this.#newer = this.#stillOpen(line.t)
    }
    this.#newer.push(line)
  }

  #stillOpen(t: number): RecordingLine[] {
    const { claims, tools, wait } = this.#open
    const held = [...claims.values(), ...tools.values(), ...(wait === null ? [] : [wait])]
    return held.map((move) => ({ t, ...move }))
  }

  /** Should the beginning be dropped, the tool stands there with the time it has now. */
  #renewed({ id, timeoutMs }: RecordedMove & { kind: 'tool-renew' }): void {
    const start = this.#open.tools.get(id)
    if (start?.kind === 'tool-start') this.#open.tools.set(id, { ...start, timeoutMs })
  }

  #remember(move: ClockMove, line: RecordedMove): void {
    if (move.clock === 'claim') this.#open.claims.set(move.messageId, line)
    else if (move.clock === 'claim-end') this.#open.claims.delete(move.messageId)
    else if (line.kind === 'tool-start') this.#open.tools.set(line.id ?? 0, line)
    else if (line.kind === 'tool-renew') this.#renewed(line)
    else if (move.clock === 'tool-end') this.#open.tools.delete(move.id)
    else if (move.clock === 'wait-end') this.#open.wait = null
    else if (line.kind === 'model-wait') this.#open.wait = line
  }
}

function lineOf(move: ClockMove, t: number, { tools }: Open): RecordedMove | null {
  switch (move.clock) {
    case 'beat':
    case 'progress':
    case 'ping':
      return { kind: move.clock }
    case 'claim':
      return { kind: 'claim', message: move.messageId }
    case 'claim-end':
      return { kind: 'done', message: move.messageId }
    case 'tool': {
      const { id, name, timeoutMs, expectedMs, isBackground } = move.tool
      if (tools.has(id)) return { kind: 'tool-renew', id, timeoutMs }
      return { kind: 'tool-start', id, tool: name, timeoutMs, expectedMs, background: isBackground }
    }
    case 'tool-end': {
      const start = tools.get(move.id)
      return start?.kind === 'tool-start' ? { kind: 'tool-end', id: move.id, tool: start.tool } : null
    }
    case 'wait': {
      const { reason, forMs } = move.wait
      return { kind: 'model-wait', reason, untilMs: forMs === null ? null : t + forMs }
    }
    case 'wait-end':
      return { kind: 'model-wait-end' }
    case 'activity': {
      const { cpuMs, ioBytes, processes } = move.sample
      return { kind: 'activity', cpuMs, ioBytes, processes }
    }
  }
}
