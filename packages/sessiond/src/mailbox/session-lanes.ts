/** Runs work of one session after another, of different sessions side by side. */
export class SessionLanes {
  readonly #last = new Map<string, Promise<unknown>>()

  run<T>(sessionId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(sessionId) ?? Promise.resolve()
    const mine = before.then(work)
    // What follows waits for the end, whichever it was; the failure belongs to the caller alone.
    const ended = mine.then(
      () => {},
      () => {},
    )
    this.#last.set(sessionId, ended)
    void ended.then(() => {
      if (this.#last.get(sessionId) === ended) this.#last.delete(sessionId)
    })
    return mine
  }
}
