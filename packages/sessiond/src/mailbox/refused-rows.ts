import type { OutboxBatch } from './mailbox.ts'
import type { Parsed } from './parsed.ts'

type Refused = OutboxBatch['refused'][number]

/** The port's bound on how many are named. */
const MAX_REFUSED = 20

/** Collects what was refused in one look, bounded. */
export class RefusedRows {
  readonly #rows: Refused[] = []

  add(what: string, because: string): void {
    if (this.#rows.length < MAX_REFUSED) this.#rows.push({ what, because })
  }

  /** Keeps the valid ones of `parsed`; of the others says why, once per reason. */
  keepValid<T>(what: string, parsed: readonly Parsed<T>[]): T[] {
    const valid: T[] = []
    const reasons = new Map<string, number>()
    for (const row of parsed) {
      if ('value' in row) valid.push(row.value)
      else reasons.set(row.because, (reasons.get(row.because) ?? 0) + 1)
    }
    for (const [because, count] of reasons) this.add(what, `${count} with ${because}`)
    return valid
  }

  list(): readonly Refused[] {
    return this.#rows
  }
}
