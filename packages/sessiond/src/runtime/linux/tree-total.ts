/** A counter of one process, as it stands now. */
export interface TreePart {
  /** Key of the process that will wait for it when it ends; null: none of this run. */
  readonly parent: string | null
  /** Its own figure with what it has inherited. */
  readonly total: number
  /** The part of `total` that may come of children it has waited for. */
  readonly inherited: number
}

interface KeptPart extends TreePart {
  /** Figures of ended children that it should have inherited by now and has not. */
  readonly owed: number
}

/**
 * Adds up one counter over a tree of processes that come and go, so that the sum never goes back and counts nothing
 * twice. A process that ended is counted with its last figure, until its parent inherits the final one. What has not
 * arrived a look later never will: whoever ignores SIGCHLD, or ended too, inherits nothing.
 */
export class TreeTotal {
  #parts: ReadonlyMap<string, KeptPart> = new Map()
  /** Of ended processes that nobody inherits from. */
  #lost = 0
  #highest = 0

  /** The sum, given every living process of the run by a key of its own; parents are to be read before children. */
  next(parts: ReadonlyMap<string, TreePart>): number {
    const legacies = this.#endedBy(parts)
    const kept = new Map<string, KeptPart>()
    let sum = 0
    for (const [key, part] of parts) {
      const before = this.#parts.get(key)
      const arrived = Math.max(0, part.inherited - (before?.inherited ?? part.inherited))
      const late = before?.owed ?? 0
      this.#lost += Math.max(0, late - arrived)
      const owed = Math.max(0, (legacies.get(key) ?? 0) - Math.max(0, arrived - late))
      kept.set(key, { ...part, owed })
      sum += part.total + owed
    }
    this.#parts = kept
    this.#highest = Math.max(this.#highest, sum + this.#lost)
    return this.#highest
  }

  /** Last figures of the processes that have ended since, by the living one that inherits them. */
  #endedBy(living: ReadonlyMap<string, TreePart>): Map<string, number> {
    const legacies = new Map<string, number>()
    for (const [key, { total, owed }] of this.#parts) {
      if (living.has(key)) continue
      const heir = this.#heirOf(key, living)
      if (heir === null) this.#lost += total + owed
      else legacies.set(heir, (legacies.get(heir) ?? 0) + total + owed)
    }
    return legacies
  }

  #heirOf(ended: string, living: ReadonlyMap<string, TreePart>): string | null {
    let key: string | null = ended
    // As many steps as there are processes: what was read at different instants may form a ring.
    for (let steps = this.#parts.size; key !== null && steps >= 0; steps -= 1) {
      if (living.has(key)) return key
      key = this.#parts.get(key)?.parent ?? null
    }
    return null
  }
}
