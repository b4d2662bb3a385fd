import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { INBOUND_DB, OUTBOUND_DB, OUTBOUND_SCHEMA } from '@sessiond/protocol'
import { RunnerError } from '../errors.ts'
import { followInbound } from '../file-mailbox/follow-inbound.ts'
import { lookAtInbound } from '../file-mailbox/look-at-inbound.ts'
import { OutboundFile } from '../file-mailbox/outbound-file.ts'
import { type Stamp, writeReply, writeRequest } from '../file-mailbox/outbound-statements.ts'
import { replyContent } from '../loop/reply-content.ts'
import type { MessageAddress } from '../mailbox-client.ts'
import type { RunnerWorld } from '../world.ts'
import type { HostAnswer, HostRequest, HostRequests } from './host-requests.ts'

export interface FileRequestsOptions {
  readonly inDir: string
  readonly outDir: string
  /** The run this speaks for; null: whichever the mailbox is of. */
  readonly epoch: number | null
  readonly world: RunnerWorld
  readonly log: (line: string) => void
}

/** What of `inbound.db` a row written here depends on. */
interface Grant {
  readonly epoch: number
  readonly takenSeq: number
  readonly addressOf: ReadonlyMap<string, MessageAddress>
}

const UNREAD_AGAIN_MS = 50
const UNREAD_LOOKS = 100
const NO_ADDRESS: MessageAddress = { platformId: null, channelType: null, threadId: null }

/** Requests by way of the mailbox's two files: a second writer of `outbound.db`, in a process of its own. */
export class FileRequests implements HostRequests {
  readonly #options: FileRequestsOptions
  readonly #inboundPath: string
  readonly #outbound: OutboundFile

  constructor(options: FileRequestsOptions) {
    this.#options = options
    this.#inboundPath = join(options.inDir, INBOUND_DB)
    const path = join(options.outDir, OUTBOUND_DB)
    this.#outbound = new OutboundFile({ path, world: options.world, spillsEarly: false })
  }

  async ask(request: HostRequest, waitMs: number, signal: AbortSignal): Promise<HostAnswer | null> {
    const id = this.#options.world.newId('req-')
    const content = JSON.stringify(request)
    await this.#write((db, grant, stamp) => writeRequest(db, { id, content }, grant.takenSeq, stamp))
    return this.#answerTo(id, waitMs, signal)
  }

  async say(text: string): Promise<void> {
    const id = this.#options.world.newId('reply-')
    await this.#write((db, grant, stamp) => {
      const address = grant.addressOf.get(messageInHand(db) ?? '') ?? NO_ADDRESS
      writeReply(db, { id, inReplyTo: null, content: replyContent(text), address }, grant.takenSeq, stamp)
    })
  }

  close(): Promise<void> {
    return this.#outbound.close()
  }

  /**
   * Writes in one transaction. What the host has taken is read inside it: the runner deletes rows the host has taken, and
   * a number read earlier might by then be given anew.
   */
  async #write(work: (db: DatabaseSync, grant: Grant, stamp: Stamp) => unknown): Promise<void> {
    for (let looks = 1; ; looks += 1) {
      const isWritten = await this.#outbound.transaction((db) => {
        const look = lookAtInbound(this.#inboundPath, readGrant)
        if (!look.isRead) return false
        this.#refuseOther(look.look)
        db.exec(OUTBOUND_SCHEMA)
        work(db, look.look, { epoch: look.look.epoch, nowMs: this.#options.world.now() })
        return true
      })
      if (isWritten) return
      if (looks === UNREAD_LOOKS) {
        throw new RunnerError('MAILBOX_UNWRITABLE', `${this.#inboundPath} cannot be read: this is no run's mailbox`)
      }
      await wait(UNREAD_AGAIN_MS)
    }
  }

  #refuseOther({ epoch }: Grant): void {
    if (this.#options.epoch === null || this.#options.epoch === epoch) return
    throw new RunnerError('MAILBOX_CLOSED', 'this run is over: a newer one owns the session')
  }

  #answerTo(id: string, waitMs: number, signal: AbortSignal): Promise<HostAnswer | null> {
    const { world, log } = this.#options
    return new Promise((resolve) => {
      const finish = (answer: HostAnswer | null) => {
        stop()
        cancelTimer()
        signal.removeEventListener('abort', giveUp)
        resolve(answer)
      }
      const giveUp = () => finish(null)
      let stop = () => {}
      const cancelTimer = world.setTimer(waitMs, giveUp)
      signal.addEventListener('abort', giveUp)
      if (signal.aborted) return giveUp()
      let found = false
      stop = followInbound({
        path: this.#inboundPath,
        world,
        log,
        read: (db) => readAnswer(db, id),
        onLook: (answer) => {
          if (answer === null || found) return
          found = true
          // Not before there is something to stop: the first look is made inside the call.
          queueMicrotask(() => finish(answer))
        },
      })
    })
  }
}

function readGrant(db: DatabaseSync): Grant {
  const run = db.prepare('SELECT epoch, taken_seq FROM run').get()
  const rows = db.prepare('SELECT id, platform_id, channel_type, thread_id FROM messages_in').all()
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  const addressOf = new Map(
    rows.map((row): [string, MessageAddress] => [
      String(row.id),
      { platformId: text(row.platform_id), channelType: text(row.channel_type), threadId: text(row.thread_id) },
    ]),
  )
  return { epoch: Number(run?.epoch ?? 1), takenSeq: Number(run?.taken_seq ?? 0), addressOf }
}

/** The message being worked on; the newest, where there are several. */
function messageInHand(db: DatabaseSync): string | null {
  const sql = "SELECT message_id FROM processing_ack WHERE status = 'processing' ORDER BY rowid DESC LIMIT 1"
  const row = db.prepare(sql).get()
  return row === undefined ? null : String(row.message_id)
}

/** Null while there is none, and for ever from a host that knows no requests. */
function readAnswer(db: DatabaseSync, id: string): HostAnswer | null {
  const isKnown = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'answers'").get()
  if (isKnown === undefined) return null
  const row = db.prepare('SELECT status, text FROM answers WHERE request_id = ?').get(id)
  if (row === undefined) return null
  return { status: row.status === 'ok' ? 'ok' : 'refused', text: String(row.text) }
}
