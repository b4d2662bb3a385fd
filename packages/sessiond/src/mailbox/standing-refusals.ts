import type { OutboxBatch } from './mailbox.ts'

type Refused = OutboxBatch['refused'][number]

/** Different refusals named for one run; then it is known to be hostile and the journal is spared the rest. */
const MAX_NAMED = 200

/** Lets each refusal through once per run: rows without a cursor are met again in every look. */
export class StandingRefusals {
  readonly #named = new Map<string, Set<string>>()

  keepNew(sessionId: string, refused: readonly Refused[]): readonly Refused[] {
    if (refused.length === 0) return refused
    const named = this.#named.get(sessionId) ?? new Set<string>()
    this.#named.set(sessionId, named)
    return refused.filter(({ what, because }) => {
      const key = `${what}\n${because}`
      if (named.has(key) || named.size >= MAX_NAMED) return false
      named.add(key)
      return true
    })
  }

  forget(sessionId: string): void {
    this.#named.delete(sessionId)
  }
}
