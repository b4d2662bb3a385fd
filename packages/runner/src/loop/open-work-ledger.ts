import { type OpenTool, type OpenWork, PROTOCOL_LIMITS, type WaitReason } from '@sessiond/protocol'
import type { ModelWait, ToolLease, ToolOptions } from '../agent-context.ts'

/** How soon a change has to be told. `soon`: it changes the host's patience. `later`: only that something moved. */
export type Haste = 'soon' | 'later'

export interface OpenWorkLedgerOptions {
  readonly now: () => number
  /** Called after every change; `isProgress`: the agent did something, not only the other side. */
  readonly onChange: (haste: Haste, isProgress: boolean) => void
}

interface Wait {
  seq: number
  reason: WaitReason
  forMs: number | null
  pings: number
}

/** What one run has open: its tools, and what it waits for. */
export class OpenWorkLedger {
  readonly #options: OpenWorkLedgerOptions
  /** Oldest first. */
  readonly #tools = new Map<number, OpenTool & { readonly sinceMs: number }>()
  #wait: Wait | null = null
  #lastToolId = 0
  #lastWaitSeq = 0
  /** A batch is in hand, and its handler has not said when it waits for a model. */
  #isGuessing = false

  constructor(options: OpenWorkLedgerOptions) {
    this.#options = options
  }

  /** A batch was handed over: until the handler says more, it waits for something nobody knows. Told with the claim. */
  beginBatch(): void {
    this.#isGuessing = true
    this.#wait = this.#newWait('agent')
  }

  /** The handler is gone, and all it had open with it. */
  endBatch(): void {
    this.#isGuessing = false
    if (this.#tools.size === 0 && this.#wait === null) return
    this.#tools.clear()
    this.#wait = null
    this.#options.onChange('soon', false)
  }

  tool(name: string, options: ToolOptions = {}): ToolLease {
    this.#lastToolId += 1
    const id = this.#lastToolId
    this.#tools.set(id, {
      id,
      name: name.slice(0, PROTOCOL_LIMITS.toolNameChars),
      timeoutMs: wholeMs(options.timeoutMs),
      expectedMs: wholeMs(options.expectedMs),
      isBackground: options.background ?? false,
      renewals: 0,
      sinceMs: this.#options.now(),
    })
    this.#guess()
    this.#options.onChange('soon', true)
    return { renew: (renewal) => this.#renew(id, renewal?.timeoutMs), end: () => this.#end(id) }
  }

  modelWait(): ModelWait {
    const wait = this.#newWait('request')
    this.#wait = wait
    this.#isGuessing = false
    this.#options.onChange('soon', false)
    const isOpen = () => this.#wait === wait
    return {
      streaming: () => {
        if (isOpen() && wait.reason !== 'stream') this.#restate(wait, 'stream', null, true)
      },
      ping: () => {
        if (!isOpen()) return
        wait.pings += 1
        this.#options.onChange('later', false)
      },
      heldOff: (because, forMs) => {
        if (isOpen()) this.#restate(wait, because, wholeMs(forMs), false)
      },
      end: () => {
        if (!isOpen()) return
        this.#wait = null
        this.#options.onChange('soon', true)
      },
    }
  }

  openWork(): OpenWork {
    const tools = [...this.#tools.values()].map(({ sinceMs: _, ...tool }) => tool)
    return { tools, wait: this.#wait === null ? null : { ...this.#wait } }
  }

  /** The newest tool that is waited for, for readers who know of one only; null: none. */
  newest(): (OpenTool & { readonly sinceMs: number }) | null {
    const awaited = [...this.#tools.values()].filter(({ isBackground }) => !isBackground)
    return awaited.at(-1) ?? null
  }

  #renew(id: number, timeoutMs: number | undefined): void {
    const tool = this.#tools.get(id)
    if (tool === undefined) return
    this.#tools.set(id, {
      ...tool,
      timeoutMs: timeoutMs === undefined ? tool.timeoutMs : wholeMs(timeoutMs),
      renewals: tool.renewals + 1,
      sinceMs: this.#options.now(),
    })
    this.#options.onChange('soon', true)
  }

  #end(id: number): void {
    if (!this.#tools.delete(id)) return
    this.#guess()
    this.#options.onChange('soon', true)
  }

  #restate(wait: Wait, reason: WaitReason, forMs: number | null, isProgress: boolean): void {
    this.#lastWaitSeq += 1
    wait.seq = this.#lastWaitSeq
    wait.reason = reason
    wait.forMs = forMs
    this.#options.onChange('soon', isProgress)
  }

  #newWait(reason: WaitReason): Wait {
    this.#lastWaitSeq += 1
    return { seq: this.#lastWaitSeq, reason, forMs: null, pings: 0 }
  }

  /** A tool that is waited for says enough; without one, a handler that tells of no model may be waiting for it. */
  #guess(): void {
    if (!this.#isGuessing) return
    const isAwaiting = this.newest() !== null
    if (isAwaiting) this.#wait = null
    else this.#wait ??= this.#newWait('agent')
  }
}

/** A figure the host takes for one; null for one that says nothing. */
function wholeMs(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) || ms < 0 ? null : Math.min(Math.round(ms), Number.MAX_SAFE_INTEGER)
}
