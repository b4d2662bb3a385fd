import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { HEARTBEAT_FILE, INBOUND_DB, OUTBOUND_DB, OUTBOUND_SCHEMA } from '@sessiond/protocol'
import type {
  Ack,
  Claim,
  InboundLook,
  MailboxClient,
  OpenedMailbox,
  OutgoingReply,
  Prune,
  ReportedState,
} from '../mailbox-client.ts'
import type { OnStep } from '../steps.ts'
import type { RunnerWorld } from '../world.ts'
import { ensureOutboundSchema } from './ensure-outbound-schema.ts'
import { followInbound } from './follow-inbound.ts'
import { OutboundFile, unwritable } from './outbound-file.ts'
import {
  deletePruned,
  readAcks,
  readSessionState,
  type Stamp,
  writeAck,
  writeClaim,
  writeReply,
  writeSessionState,
  writeStateRow,
} from './outbound-statements.ts'
import { readInbound } from './read-inbound.ts'
import { spillPages } from './spill-pages.ts'
import { touchHeartbeat } from './touch-heartbeat.ts'

export interface FileMailboxOptions {
  readonly inDir: string
  readonly outDir: string
  readonly epoch: number
  readonly world: RunnerWorld
  readonly log: (line: string) => void
  /** For crash tests; null in production. */
  readonly onStep: OnStep | null
}

/** The mailbox as two SQLite files: reads `in/inbound.db`, is the one writer of `out/outbound.db`. */
export class FileMailbox implements MailboxClient {
  readonly #options: FileMailboxOptions
  readonly #outboundPath: string
  readonly #outbound: OutboundFile
  /** No reply may reuse a seq, also after its row was taken and deleted. */
  #highestSeq = 0

  constructor(options: FileMailboxOptions) {
    this.#options = options
    this.#outboundPath = join(options.outDir, OUTBOUND_DB)
    this.#outbound = new OutboundFile({
      path: this.#outboundPath,
      world: options.world,
      spillsEarly: options.onStep !== null,
    })
  }

  async open(): Promise<OpenedMailbox> {
    return this.#outbound.transaction((db) => {
      ensureOutboundSchema(db)
      return { acks: readAcks(db), sessionState: readSessionState(db) }
    })
  }

  async beat(): Promise<void> {
    const path = join(this.#options.outDir, HEARTBEAT_FILE)
    try {
      touchHeartbeat(path)
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  follow(onLook: (look: InboundLook) => void): () => void {
    const { inDir, world, log } = this.#options
    return followInbound({
      path: join(inDir, INBOUND_DB),
      world,
      log,
      read: readInbound,
      onLook: (look) => {
        this.#highestSeq = Math.max(this.#highestSeq, look.takenSeq)
        onLook(look)
      },
    })
  }

  claim(claims: readonly Claim[], state: ReportedState): Promise<void> {
    return this.#write((db, stamp) => {
      for (const claim of claims) writeClaim(db, claim, stamp)
      writeStateRow(db, state, stamp.nowMs)
      this.#step(db, 'claiming')
    })
  }

  reply(reply: OutgoingReply): Promise<void> {
    return this.#write((db, stamp) => this.#insertReply(db, reply, stamp))
  }

  finish(acks: readonly Ack[], reply: OutgoingReply | null, state: ReportedState | null): Promise<void> {
    return this.#write((db, stamp) => {
      if (reply !== null) this.#insertReply(db, reply, stamp)
      for (const ack of acks) writeAck(db, ack, stamp)
      if (state !== null) writeStateRow(db, state, stamp.nowMs)
      this.#step(db, 'completing')
    })
  }

  prune(prune: Prune): Promise<void> {
    this.#highestSeq = Math.max(this.#highestSeq, prune.takenSeq)
    return this.#write((db) => deletePruned(db, prune))
  }

  writeState(state: ReportedState): Promise<void> {
    return this.#write((db, { nowMs }) => writeStateRow(db, state, nowMs))
  }

  setSessionState(key: string, value: string): Promise<void> {
    return this.#write((db, { nowMs }) => writeSessionState(db, key, value, nowMs))
  }

  close(): Promise<void> {
    return this.#outbound.close()
  }

  #write<T>(work: (db: DatabaseSync, stamp: Stamp) => T): Promise<T> {
    return this.#outbound.transaction((db) => {
      // A file that was lost or replaced meanwhile gets its tables again; costs no write when they are there.
      db.exec(OUTBOUND_SCHEMA)
      return work(db, { epoch: this.#options.epoch, nowMs: this.#options.world.now() })
    })
  }

  #insertReply(db: DatabaseSync, reply: OutgoingReply, stamp: Stamp): void {
    const seq = writeReply(db, reply, this.#highestSeq, stamp)
    // Even when the commit fails: a gap in the numbers is harmless, a number used twice is not.
    this.#highestSeq = seq
  }

  #step(db: DatabaseSync, step: 'claiming' | 'completing'): void {
    if (this.#options.onStep === null) return
    spillPages(db)
    this.#options.onStep(step)
  }
}
