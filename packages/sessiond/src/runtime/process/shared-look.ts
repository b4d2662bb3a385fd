/**
 * Shares a costly look between all who ask at about the same time. Nobody is answered by a look that began before they
 * asked: what they look for may have come into being since.
 */
export class SharedLook<T> {
  readonly #look: () => Promise<T>
  #current: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | null = null

  constructor(look: () => Promise<T>) {
    this.#look = look
  }

  /** What a look finds that begins after this call; rejects when that look does. */
  take(): Promise<T> {
    this.#next ??= this.#afterCurrent()
    return this.#next
  }

  async #afterCurrent(): Promise<T> {
    // Whether the one before failed is for its own takers to hear.
    await this.#current.catch(() => {})
    const look = this.#look()
    this.#current = look
    this.#next = null
    return look
  }
}
