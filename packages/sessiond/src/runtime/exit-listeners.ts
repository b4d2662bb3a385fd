/** Who wants to hear of exits. One listener that throws keeps no other from hearing. */
export class ExitListeners {
  readonly #listeners = new Set<(runName: string) => void>()

  get isEmpty(): boolean {
    return this.#listeners.size === 0
  }

  add(listener: (runName: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(runName: string): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(runName))
  }

  clear(): void {
    this.#listeners.clear()
  }
}
