import { byWorth, type LeftOut, type RemovalFacts } from '../../decide/decide-removals.ts'
import { fairShare } from '../../decide/fair-share.ts'
import { newOwners, type SeenEntry, seriesOf, weightOf } from '../../decide/seen-entry.ts'

/**
 * Entries kept for a decision, within a bound of weight whatever comes. When it is full, of each owner the half that is
 * worth least goes, until there is room again: so none that has very many keeps out those that come after it.
 */
export class EntryPool<Entry extends SeenEntry> {
  readonly #maxWeight: number
  readonly #byWorth: (a: SeenEntry, b: SeenEntry) => number
  readonly #leftOut = new Map<string, LeftOut>()
  #entries: Entry[] = []
  #weight = 0

  constructor(maxWeight: number, facts: Pick<RemovalFacts<SeenEntry>, 'rules' | 'nowMs' | 'pressure'>) {
    this.#maxWeight = maxWeight
    this.#byWorth = byWorth(facts)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** By series. */
  get leftOut(): ReadonlyMap<string, LeftOut> {
    return this.#leftOut
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#weight += weightOf(entry)
    if (this.#weight > this.#maxWeight) this.#makeRoom()
  }

  #makeRoom(): void {
    const byWorth = this.#entries.sort(this.#byWorth)
    const kept = fairShare(byWorth, { ownerOf: newOwners(), weightOf }, this.#maxWeight / 2)
    let next = 0
    for (const entry of byWorth) {
      if (entry === kept[next]) next += 1
      else this.#leaveOut(entry)
    }
    this.#entries = [...kept]
    this.#weight = kept.reduce((sum, entry) => sum + weightOf(entry), 0)
  }

  #leaveOut(entry: Entry): void {
    // What is left of a removal takes no place in any count.
    if (entry.isLeftover) return
    const series = seriesOf(entry)
    const { sinceMs, entries, bytes } = this.#leftOut.get(series) ?? NOTHING
    const oldestMs = Math.min(sinceMs, entry.sinceMs)
    this.#leftOut.set(series, { sinceMs: oldestMs, entries: entries + 1, bytes: bytes + entry.bytes })
  }
}

const NOTHING: LeftOut = { sinceMs: Number.POSITIVE_INFINITY, entries: 0, bytes: 0 }
