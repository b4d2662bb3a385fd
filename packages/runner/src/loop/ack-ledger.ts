import type { Ack, Claim, InboundLook, KnownAck } from '../mailbox-client.ts'

/** How many ended messages are remembered beyond what the mailbox holds. */
const REMEMBERED = 1_000

/**
 * What this run has acknowledged. Acknowledgements the host has taken leave the mailbox, but are remembered for a
 * while: should the host show such a message once more, it is not worked on twice.
 */
export class AckLedger {
  readonly #epoch: number
  readonly #acks = new Map<string, KnownAck>()
  /** Final acknowledgements that stand in the mailbox. */
  readonly #stored = new Set<string>()
  /** Oldest first. */
  readonly #pruned = new Set<string>()

  constructor(epoch: number, known: readonly KnownAck[]) {
    this.#epoch = epoch
    for (const ack of known) this.#note(ack)
  }

  get acks(): ReadonlyMap<string, KnownAck> {
    return this.#acks
  }

  noteClaimed(claims: readonly Claim[]): void {
    for (const claim of claims) this.#note({ ...claim, status: 'processing', epoch: this.#epoch })
  }

  noteEnded(acks: readonly Ack[]): void {
    for (const { messageId, attempt, status } of acks) this.#note({ messageId, attempt, status, epoch: this.#epoch })
  }

  /** Final acknowledgements whose message the host shows no more: it has taken them. */
  prunable(look: InboundLook): string[] {
    const shown = new Set(look.messages.map(({ id }) => id))
    return [...this.#stored].filter((id) => !shown.has(id))
  }

  notePruned(ids: readonly string[]): void {
    for (const id of ids) {
      this.#stored.delete(id)
      this.#pruned.add(id)
    }
    for (const id of this.#pruned) {
      if (this.#pruned.size <= REMEMBERED) return
      this.#pruned.delete(id)
      this.#acks.delete(id)
    }
  }

  #note(ack: KnownAck): void {
    this.#acks.set(ack.messageId, ack)
    this.#pruned.delete(ack.messageId)
    if (ack.status === 'processing') this.#stored.delete(ack.messageId)
    else this.#stored.add(ack.messageId)
  }
}
