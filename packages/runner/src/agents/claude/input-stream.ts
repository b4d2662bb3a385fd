/** What is pushed comes out in its order; waits in between, until ended. For one reader. */
export class InputStream<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  #isEnded = false
  #wake = () => {}

  push(value: T): void {
    this.#waiting.push(value)
    this.#wake()
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) yield next
      else if (this.#isEnded) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}
