import { backoffMs } from '../decide/backoff.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

export interface RuntimeHealthDeps {
  readonly world: World
  readonly store: Store
  /** Asks a lost runtime something; resolves when it answered and nothing stands in the way of using it again. */
  readonly probe: (runtime: Runtime) => Promise<unknown>
  readonly onRecovered: () => void
}

const PROBE_BACKOFF = { baseMs: 500, maxMs: 30_000 }

/**
 * Knows which runtimes cannot be asked right now. Nothing is started on a lost one; it is probed, ever more slowly,
 * until it answers. The journal hears of the loss once and of the recovery once (D11, D21), not at every tick.
 */
export class RuntimeHealth {
  readonly #deps: RuntimeHealthDeps
  readonly #lost = new Map<string, { probes: number; cancelTimer: () => void }>()
  readonly #losses = new Map<string, number>()
  #isStopped = false

  constructor(deps: RuntimeHealthDeps) {
    this.#deps = deps
  }

  isLost(runtime: string): boolean {
    return this.#lost.has(runtime)
  }

  /** How often it was lost since this host started. */
  lossesOf(runtime: string): number {
    return this.#losses.get(runtime) ?? 0
  }

  lostRuntimes(): string[] {
    return [...this.#lost.keys()]
  }

  /** A call failed because the runtime could not be asked. */
  noteLost(runtime: Runtime, because: string): void {
    if (this.#lost.has(runtime.name) || this.#isStopped) return
    this.#lost.set(runtime.name, { probes: 0, cancelTimer: () => {} })
    this.#losses.set(runtime.name, this.lossesOf(runtime.name) + 1)
    void this.#journal('runtime:lost', runtime.name, because)
    this.#armProbe(runtime)
  }

  stop(): void {
    this.#isStopped = true
    for (const lost of this.#lost.values()) lost.cancelTimer()
  }

  #noteAnswered(runtime: Runtime): void {
    const lost = this.#lost.get(runtime.name)
    if (lost === undefined) return
    lost.cancelTimer()
    this.#lost.delete(runtime.name)
    void this.#journal('runtime:recovered', runtime.name, `after ${lost.probes} probes`)
    this.#deps.onRecovered()
  }

  #armProbe(runtime: Runtime): void {
    const lost = this.#lost.get(runtime.name)
    if (lost === undefined || this.#isStopped) return
    lost.cancelTimer = this.#deps.world.setTimer(backoffMs(PROBE_BACKOFF, lost.probes, 0), () => {
      lost.probes += 1
      this.#deps.probe(runtime).then(
        () => this.#noteAnswered(runtime),
        () => this.#armProbe(runtime),
      )
    })
  }

  async #journal(type: 'runtime:lost' | 'runtime:recovered', runtime: string, because: string): Promise<void> {
    const detail = { runtime, because }
    const line = { type, atMs: this.#deps.world.now(), sessionId: null, epoch: null, messageId: null, detail }
    // A full disk must not turn a lost engine into a crash; health shows the loss all the same.
    await this.#deps.store.append([line]).catch(() => {})
  }
}
