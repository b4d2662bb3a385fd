/** Collects output up to a bound; what comes after is counted and forgotten, so a flood costs no memory. */
export class BoundedOutput {
  readonly #maxBytes: number
  #buffer = Buffer.alloc(0)
  #keptBytes = 0
  #seenBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isCut(): boolean {
    return this.#seenBytes > this.#maxBytes
  }

  add(chunk: Buffer): void {
    this.#seenBytes += chunk.length
    const kept = chunk.subarray(0, this.#maxBytes - this.#keptBytes)
    if (kept.length === 0) return
    this.#makeRoom(this.#keptBytes + kept.length)
    kept.copy(this.#buffer, this.#keptBytes)
    this.#keptBytes += kept.length
  }

  /** What was kept, as text; invalid bytes become U+FFFD, and a character cut in half is left out. */
  text(): string {
    const kept = this.#buffer.subarray(0, this.#keptBytes)
    // `stream` holds an incomplete character at the end back; only a cut makes one that the writer did not.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(kept, { stream: this.isCut })
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return
    // Doubling, into one buffer of our own: keeping the chunks would keep whole slabs for a few bytes each.
    const grown = Buffer.alloc(Math.min(Math.max(bytes, this.#buffer.length * 2, 4096), this.#maxBytes))
    this.#buffer.copy(grown, 0, 0, this.#keptBytes)
    this.#buffer = grown
  }
}
