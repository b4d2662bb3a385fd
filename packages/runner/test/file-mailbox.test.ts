import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync, watch, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { OUTBOUND_SCHEMA } from '@sessiond/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileMailbox } from '../src/file-mailbox/file-mailbox.ts'
import { inboundSignature } from '../src/file-mailbox/inbound-signature.ts'
import { lookAtInbound } from '../src/file-mailbox/look-at-inbound.ts'
import { readInbound } from '../src/file-mailbox/read-inbound.ts'
import type { InboundLook, ReportedState } from '../src/mailbox-client.ts'
import { realRunnerWorld } from '../src/world.ts'
import { HostSide, until, untilTrue } from './host-side.ts'
import { killDuringWrite } from './kill-during-write.ts'

const PRUNE_NOTHING = { takenSeq: 0, messageIds: [] }
const IDLE: ReportedState = {
  tool: null,
  toolDeclaredTimeoutMs: null,
  toolExpectedMs: null,
  toolStartedAtMs: null,
  progressAtMs: null,
  progressSeq: 0,
  openWork: { tools: [], wait: null },
}

let host: HostSide
let mailbox: FileMailbox
let stops: (() => void)[]

beforeEach(() => {
  host = new HostSide()
  mailbox = openMailbox()
  stops = []
})

afterEach(async () => {
  for (const stop of stops) stop()
  await mailbox.close()
  host.remove()
})

function openMailbox(): FileMailbox {
  const { inDir, outDir } = host
  return new FileMailbox({ inDir, outDir, epoch: 1, world: realRunnerWorld, log: () => {}, onStep: null })
}

/** Follows the inbound side; the list grows with every look. */
function follow(): readonly InboundLook[] {
  const looks: InboundLook[] = []
  stops.push(mailbox.follow((look) => looks.push(look)))
  return looks
}

function ids(look: InboundLook | undefined): string[] | undefined {
  return look?.messages.map(({ id }) => id)
}

describe('looking at inbound.db', () => {
  it.each([
    ['is missing', () => {}],
    ['is empty', () => writeFileSync(host.inboundPath, '')],
    ['has no tables yet', () => new DatabaseSync(host.inboundPath).close()],
    ['is no database', () => writeFileSync(host.inboundPath, 'x'.repeat(8192))],
    ['is a directory', () => mkdirSync(host.inboundPath)],
  ])('(C14) never takes a file that %s for one without messages', (_, arrange) => {
    arrange()
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({ isRead: false })
  })

  it('(C14) does not take a file cut short for one without messages', () => {
    host.grant(1)
    host.send(...Array.from({ length: 50 }, (_, index) => ({ id: `m${index}`, text: 'x'.repeat(500) })))
    truncateSync(host.inboundPath, 4096)
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({ isRead: false })
  })

  it('(C2) takes a writer at work for "again soon"', () => {
    host.grant(1)
    const writer = new DatabaseSync(host.inboundPath)
    writer.exec('BEGIN EXCLUSIVE')
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({
      isRead: false,
      because: expect.stringContaining('locked'),
    })
    writer.exec('ROLLBACK')
    writer.close()
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({ isRead: true })
  })

  it('(C1, C4) leaves the hot journal of a host that died to the host, and reads again after its recovery', async () => {
    host.grant(1)
    host.send({ id: 'm1' })
    await killDuringWrite(host.inboundPath, "UPDATE messages_in SET content = 'torn'")
    const looks = follow()
    expect(looks).toEqual([])
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({ isRead: false })
    expect(readdirSync(host.inDir), 'the journal is the host`s to roll back').toContain('inbound.db-journal')
    host.send({ id: 'm2' })
    await untilTrue(() => looks.length > 0)
    expect(ids(looks.at(-1))).toEqual(['m1', 'm2'])
    expect(looks.at(-1)?.messages[0]?.content).toBe('{"text":"m1"}')
  })

  it('reads the zone of the session, and none where the host knows no such column', () => {
    const zoneSeen = () => {
      const result = lookAtInbound(host.inboundPath, readInbound)
      return result.isRead ? result.look.timeZone : result.because
    }
    host.grant(1)
    expect(zoneSeen()).toBeNull()
    host.writeInbound((db) => db.exec("UPDATE run SET time_zone = 'Europe/Berlin'"))
    expect(zoneSeen()).toBe('Europe/Berlin')
    host.writeInbound((db) => db.exec('ALTER TABLE run DROP COLUMN time_zone'))
    expect(zoneSeen()).toBeNull()
  })

  it('(C11) reads a mailbox of a host that knows fewer columns and no run', () => {
    const db = new DatabaseSync(host.inboundPath)
    db.exec(`CREATE TABLE messages_in (id TEXT PRIMARY KEY, seq INTEGER UNIQUE, kind TEXT NOT NULL, timestamp TEXT NOT NULL,
               status TEXT, content TEXT NOT NULL);
             INSERT INTO messages_in VALUES ('m1', 2, 'chat', '2026-01-01 00:00:00', 'pending', '{"text":"hi"}')`)
    db.close()
    const result = lookAtInbound(host.inboundPath, readInbound)
    if (!result.isRead) throw new Error(result.because)
    expect(result.look).toMatchObject({ epoch: null, takenSeq: 0, timeZone: null })
    expect(result.look.messages).toEqual([
      {
        id: 'm1',
        seq: 2,
        kind: 'chat',
        status: 'pending',
        createdAtMs: Date.UTC(2026, 0, 1),
        processAfterMs: null,
        tries: 0,
        attempt: 1,
        brief: null,
        isTrigger: true,
        isOnWake: false,
        content: '{"text":"hi"}',
        seriesId: null,
        sourceSessionId: null,
        address: { platformId: null, channelType: null, threadId: null },
      },
    ])
  })

  it('(C11) ignores columns and tables it does not know', () => {
    host.grant(1)
    host.send({ id: 'm1' })
    host.writeInbound((db) =>
      db.exec("ALTER TABLE messages_in ADD COLUMN newer TEXT DEFAULT 'x'; CREATE TABLE more (x)"),
    )
    expect(lookAtInbound(host.inboundPath, readInbound)).toMatchObject({
      isRead: true,
      look: { messages: [{ id: 'm1' }] },
    })
  })

  it('(C13) keeps the number of open files flat over 3,000 looks, good ones and failing ones', () => {
    const openFiles = () => readdirSync('/dev/fd').length
    host.grant(1)
    host.send({ id: 'm1' })
    const look = (path: string) => {
      for (let count = 0; count < 1_000; count += 1) {
        inboundSignature(path)
        lookAtInbound(path, readInbound)
      }
    }
    lookAtInbound(host.inboundPath, readInbound)
    writeFileSync(`${host.inboundPath}.broken`, 'x'.repeat(4096))
    const before = openFiles()
    look(host.inboundPath)
    look(`${host.inboundPath}.broken`)
    look(`${host.inboundPath}.missing`)
    expect(openFiles()).toBe(before)
  })
})

describe('following inbound.db', () => {
  it('reports the first look once the file is there', async () => {
    const looks = follow()
    expect(looks).toEqual([])
    host.grant(1)
    await untilTrue(() => looks.some((look) => look.epoch === 1))
  })

  it('reports every commit in the end, however close they come', async () => {
    host.grant(1)
    const looks = follow()
    for (let count = 0; count < 100; count += 1) host.send({ id: `m${count}` })
    await until(() => expect(looks.at(-1)?.messages).toHaveLength(100))
  })

  it('sees two commits within one tick of the clock as two states', () => {
    host.grant(1)
    const seen = new Set<string | undefined>()
    for (let count = 0; count < 50; count += 1) {
      host.writeInbound((db) => db.prepare('UPDATE run SET taken_seq = ?').run(count * 2 + 1))
      seen.add(inboundSignature(host.inboundPath))
    }
    expect(seen.size).toBe(50)
  })

  it('does not look again for notifications that change nothing', async () => {
    host.grant(1)
    const looks = follow()
    const watcher = watch(host.inDir)
    stops.push(() => watcher.close())
    for (let count = 0; count < 20; count += 1) {
      const noticed = once(watcher, 'change')
      writeFileSync(`${host.inDir}/other-${count}`, '')
      await noticed
    }
    host.send({ id: 'm1' })
    await until(() => expect(ids(looks.at(-1))).toEqual(['m1']))
    // One before, one for the commit, and one more where the commit was seen half way.
    expect(looks.length).toBeLessThanOrEqual(3)
  })

  it('sees a file that was put in another`s place', async () => {
    host.grant(1)
    host.send({ id: 'old' })
    const looks = follow()
    const other = new HostSide()
    try {
      other.grant(1)
      other.send({ id: 'new' })
      renameSync(other.inboundPath, host.inboundPath)
    } finally {
      other.remove()
    }
    await until(() => expect(ids(looks.at(-1))).toEqual(['new']))
  })

  it('keeps what it knows while the file is gone', async () => {
    host.grant(1)
    host.send({ id: 'm1' })
    const looks = follow()
    rmSync(host.inboundPath)
    host.grant(1)
    host.send({ id: 'm2' })
    await until(() => expect(ids(looks.at(-1))).toEqual(['m2']))
    expect(looks.every((look) => look.epoch === 1)).toBe(true)
  })
})

describe('writing outbound.db', () => {
  it('makes the file when there is none', async () => {
    await mailbox.open()
    expect(host.acks()).toEqual([])
  })

  it('(C11) adds the columns an older host did not know', async () => {
    const db = new DatabaseSync(host.outboundPath)
    db.exec(`CREATE TABLE processing_ack (message_id TEXT PRIMARY KEY, status TEXT NOT NULL, status_changed TEXT NOT NULL);
             INSERT INTO processing_ack VALUES ('m0', 'completed', '2026-01-01 00:00:00')`)
    db.close()
    const opened = await mailbox.open()
    expect(opened.acks).toEqual([{ messageId: 'm0', status: 'completed', epoch: null, attempt: 1 }])
    await mailbox.claim([{ messageId: 'm1', attempt: 2 }], IDLE)
    expect(host.ack('m1')).toMatchObject({ status: 'processing', epoch: 1, attempt: 2 })
  })

  it('(C5) keeps the rollback journal, also in a file that was switched to another', async () => {
    const db = new DatabaseSync(host.outboundPath)
    db.exec(`PRAGMA journal_mode=WAL; ${OUTBOUND_SCHEMA}`)
    db.close()
    await mailbox.open()
    expect(host.readOutbound('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
  })

  it('(B6) numbers replies odd, growing, and never twice, also after they were taken and deleted', async () => {
    await mailbox.open()
    const reply = (id: string) => {
      const address = { platformId: null, channelType: null, threadId: null }
      return mailbox.reply({ id, inReplyTo: null, content: '{}', address })
    }
    await Promise.all([reply('a'), reply('b')])
    expect(host.replies().map(({ seq }) => seq)).toEqual([1, 3])
    await mailbox.prune({ takenSeq: 3, messageIds: [] })
    await reply('c')
    expect(host.replies().map(({ seq }) => seq)).toEqual([5])
    host.grant(1, 20)
    follow()
    await reply('d')
    expect(host.replies().map(({ seq }) => seq)).toEqual([5, 21])
  })

  it('(C2) waits for a reader of the host and loses nothing', async () => {
    await mailbox.open()
    const reader = new DatabaseSync(host.outboundPath, { readOnly: true })
    reader.exec('BEGIN; SELECT count(*) FROM processing_ack')
    const written = mailbox.claim([{ messageId: 'm1', attempt: 1 }], IDLE)
    const next = mailbox.claim([{ messageId: 'm2', attempt: 1 }], IDLE)
    // The first attempts have met the reader's lock once the wait for the file has begun.
    await new Promise((resolve) => setImmediate(resolve))
    reader.close()
    await Promise.all([written, next])
    expect(host.acks().map((ack) => ack.message_id)).toEqual(['m1', 'm2'])
  })

  it('rolls back what a run that was killed in a transaction has left, as its one writer', async () => {
    await mailbox.open()
    await mailbox.claim([{ messageId: 'm1', attempt: 1 }], IDLE)
    await killDuringWrite(host.outboundPath, "UPDATE processing_ack SET status = 'completed'")
    expect(() => host.acks(), 'a reader cannot').toThrow()
    const opened = await openMailbox().open()
    expect(opened.acks).toMatchObject([{ messageId: 'm1', status: 'processing' }])
    expect(readdirSync(host.outDir)).not.toContain('outbound.db-journal')
  })

  it('deletes what was taken and keeps open claims', async () => {
    await mailbox.open()
    await mailbox.claim(
      [
        { messageId: 'open', attempt: 1 },
        { messageId: 'done', attempt: 1 },
      ],
      IDLE,
    )
    await mailbox.finish(
      [{ messageId: 'done', attempt: 1, status: 'completed', error: null, retryAtMs: null, trouble: null }],
      null,
      null,
    )
    await mailbox.prune({ ...PRUNE_NOTHING, messageIds: ['open', 'done'] })
    expect(host.acks().map((ack) => ack.message_id)).toEqual(['open'])
  })

  it('writes into the file that is there, also when it was replaced meanwhile', async () => {
    await mailbox.open()
    rmSync(host.outboundPath)
    await mailbox.claim([{ messageId: 'm1', attempt: 1 }], IDLE)
    expect(host.ack('m1')?.status).toBe('processing')
  })

  it('(C10) says which file it cannot write, and as whom', async () => {
    rmSync(host.outDir, { recursive: true })
    await expect(mailbox.beat()).rejects.toMatchObject({ code: 'MAILBOX_UNWRITABLE' })
    await expect(mailbox.open()).rejects.toThrow(/outbound\.db as uid \d+: unable to open/)
  })

  it('(C14) does not write over a file that is no database', async () => {
    writeFileSync(host.outboundPath, 'x'.repeat(8192))
    await expect(mailbox.open()).rejects.toMatchObject({ code: 'MAILBOX_UNWRITABLE' })
    expect(statSync(host.outboundPath).size).toBe(8192)
  })

  it('(C13) writes nothing after it was closed', async () => {
    await mailbox.open()
    await mailbox.close()
    await expect(mailbox.claim([{ messageId: 'm1', attempt: 1 }], IDLE)).rejects.toMatchObject({
      code: 'MAILBOX_CLOSED',
    })
    expect(host.acks()).toEqual([])
  })
})
