/** Keeps the last lines of a stream within a number of characters, for the error that may come to need them. */
export class LineTail {
  readonly #maxChars: number
  #lines: string[] = []
  #chars = 0

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  add(line: string): void {
    const kept = line.slice(-this.#maxChars)
    this.#lines.push(kept)
    this.#chars += kept.length + 1
    while (this.#chars > this.#maxChars && this.#lines.length > 1) {
      this.#chars -= (this.#lines.shift()?.length ?? 0) + 1
    }
  }

  /** The last line that says anything. */
  lastLine(): string {
    return this.#lines.findLast((line) => line.trim() !== '')?.trim() ?? ''
  }

  text(): string {
    return this.#lines.join('\n').trim()
  }
}
