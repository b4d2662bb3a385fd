/** Releases what was acquired in reverse order, continues past failures and reports them together. */
export class ReleaseStack {
  readonly #releases: (() => unknown)[] = []

  /** Remembers how to release `resource` and returns it. */
  add<Resource>(resource: Resource, release: (resource: Resource) => unknown): Resource {
    this.#releases.push(() => release(resource))
    return resource
  }

  /** Idempotent. Throws an AggregateError of all failures after everything was tried. */
  async releaseAll(): Promise<void> {
    const failures: unknown[] = []
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Some resources could not be released')
  }
}
