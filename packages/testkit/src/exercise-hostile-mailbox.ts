import { execFileSync } from 'node:child_process'
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { HEARTBEAT_FILE, INBOUND_DB, OUTBOUND_DB, PROTOCOL_LIMITS } from '@sessiond/protocol'
import { describe, expect, test } from 'vitest'
import type { Mailbox, OutboxBatch, SessionPaths } from '../../sessiond/src/ports.ts'
import { writeEndlessTree } from './endless-tree.ts'
import type { MailboxHarness } from './exercise-mailbox.ts'
import { holdDatabase, leaveHotJournal } from './hold-database.ts'
import { messageOf, projectionOf, withDatabase, writeAck, writeReply } from './mailbox-builders.ts'

const HOSTILE = 'group/hostile'
const NEIGHBOUR = 'group/neighbour'

interface Scene {
  readonly paths: SessionPaths
  readonly outbound: string
}

/** What a hostile run does to its mailbox, and the code of the error that must come of it. */
const REFUSED: [what: string, code: string, plant: (scene: Scene) => void | Promise<void>][] = [
  [
    'a link to a file of the host',
    'MAILBOX_UNSAFE',
    ({ outbound }) => replace(outbound, () => symlinkSync('/etc/passwd', outbound)),
  ],
  [
    "a link to another session's database",
    'MAILBOX_UNSAFE',
    ({ outbound, paths }) =>
      replace(outbound, () => symlinkSync(join(paths.root, '..', 'neighbour', 'out', OUTBOUND_DB), outbound)),
  ],
  ['a pipe', 'MAILBOX_UNSAFE', ({ outbound }) => replace(outbound, () => execFileSync('mkfifo', [outbound]))],
  ['a directory', 'MAILBOX_UNSAFE', ({ outbound }) => replace(outbound, () => mkdirSync(outbound))],
  ['a second name of a file', 'MAILBOX_UNSAFE', ({ outbound, paths }) => linkSync(outbound, join(paths.work, 'other'))],
  ['a journal that is a link', 'MAILBOX_UNSAFE', ({ outbound }) => symlinkSync('/etc/passwd', `${outbound}-journal`)],
  [
    'a journal that is a pipe',
    'MAILBOX_UNSAFE',
    ({ outbound }) => void execFileSync('mkfifo', [`${outbound}-journal`]),
  ],
  [
    'a view that never ends',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) =>
        db.exec(`DROP TABLE messages_out; CREATE VIEW messages_out AS
          WITH RECURSIVE endless (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM endless)
          SELECT seq, 'id' || seq AS id, '{}' AS content FROM endless`),
      ),
  ],
  [
    'a view in other letters',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) => db.exec('DROP TABLE messages_out; CREATE VIEW "MESSAGES_OUT" AS SELECT 1 AS seq')),
  ],
  [
    'a virtual table',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) =>
        db.exec('DROP TABLE messages_out; CREATE VIRTUAL TABLE messages_out USING fts5(id, seq, content)'),
      ),
  ],
  [
    'triggers',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) =>
        db.exec('CREATE TRIGGER t AFTER INSERT ON messages_out BEGIN DELETE FROM processing_ack; END'),
      ),
  ],
  [
    'a computed column',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) =>
        db.exec(`DROP TABLE messages_out; CREATE TABLE messages_out (id TEXT, seq INTEGER,
          content TEXT AS (hex(zeroblob(500000000))))`),
      ),
  ],
  [
    'a schema entry over every bound',
    'MAILBOX_UNSAFE',
    ({ outbound }) =>
      withDatabase(outbound, (db) => db.exec(`CREATE TABLE long (x DEFAULT '${'y'.repeat(5_000_000)}')`)),
  ],
]

/** The part of the mailbox suite in which the run is an enemy. */
export function exerciseHostileMailbox(harnessOf: () => MailboxHarness): void {
  describe('a hostile run', () => {
    async function prepareBoth(mailbox: Mailbox): Promise<Scene> {
      await mailbox.prepare(projectionOf([], { sessionId: HOSTILE }), new Map(), null)
      await mailbox.prepare(projectionOf([], { sessionId: NEIGHBOUR }), new Map(), null)
      const neighbour = join(mailbox.pathsOf(NEIGHBOUR).out, OUTBOUND_DB)
      withDatabase(neighbour, (db) => writeReply(db, 1))
      const paths = mailbox.pathsOf(HOSTILE)
      return { paths, outbound: join(paths.out, OUTBOUND_DB) }
    }

    test.each(REFUSED)(
      '(G4, G5) that makes its mailbox %s gets %s, live, dead and beside neighbours',
      async (_, code, plant) => {
        const { mailbox } = harnessOf()
        const scene = await prepareBoth(mailbox)
        await plant(scene)
        const [hostile, neighbour] = await Promise.allSettled([mailbox.take(HOSTILE, 0), mailbox.take(NEIGHBOUR, 0)])
        expect(hostile).toMatchObject({ status: 'rejected', reason: { code, fields: { sessionId: HOSTILE } } })
        expect(neighbour).toMatchObject({ status: 'fulfilled', value: { lastSeq: 1 } })
        await expect(mailbox.takeFinal(HOSTILE, 0)).rejects.toMatchObject({ code })
        await mailbox.setAside(HOSTILE, 1)
        await mailbox.prepare(projectionOf([], { sessionId: HOSTILE, epoch: 2 }), new Map(), null)
        expect(await mailbox.take(HOSTILE, 0)).toMatchObject({ replies: [], lastSeq: 0 })
        expect(readFileSync('/etc/passwd', 'utf8')).toContain('root')
      },
    )

    test('(G2, G3) that replaces its directories gets no new mailbox, and nothing is written where they point', async () => {
      const { mailbox } = harnessOf()
      const { paths } = await prepareBoth(mailbox)
      const elsewhere = join(paths.root, '..', '..', '..', 'elsewhere')
      mkdirSync(elsewhere)
      for (const part of [paths.out, paths.in, paths.work, paths.root]) {
        rmSync(part, { recursive: true })
        symlinkSync(elsewhere, part)
        await expect(
          mailbox.prepare(projectionOf([], { sessionId: HOSTILE }), new Map(), null),
          part,
        ).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
        if (part === paths.out) await expect(mailbox.take(HOSTILE, 0)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
        rmSync(part)
        mkdirSync(part)
      }
      expect(execFileSync('ls', ['-A', elsewhere], { encoding: 'utf8' })).toBe('')
    })

    test('(G3) that plants trees and links where its files belong has them removed, not followed', async () => {
      const { mailbox } = harnessOf()
      const { paths, outbound } = await prepareBoth(mailbox)
      const precious = join(paths.work, 'precious')
      mkdirSync(precious)
      writeFileSync(join(precious, 'file'), 'kept')
      replace(outbound, () => mkdirSync(join(outbound, 'deep', 'er'), { recursive: true }))
      symlinkSync(precious, join(outbound, 'deep', 'link'))
      symlinkSync(precious, join(paths.out, HEARTBEAT_FILE))
      expect(await mailbox.heartbeatMtimeMs(HOSTILE)).toBeNull()
      await mailbox.prepare(projectionOf([], { sessionId: HOSTILE }), new Map(), null)
      expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('kept')
      expect(await mailbox.take(HOSTILE, 0)).toMatchObject({ lastSeq: 0 })
    })

    test('that grows its database over the bound is not read', async () => {
      const { mailbox, maxFileBytes } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      truncateSync(outbound, maxFileBytes + 1)
      await expect(mailbox.take(HOSTILE, 0)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
    })

    test('that names another file in its journal has it neither deleted nor its rollback done', async () => {
      const { mailbox } = harnessOf()
      const { outbound, paths } = await prepareBoth(mailbox)
      const victim = join(paths.in, INBOUND_DB)
      await leaveHotJournal(outbound)
      writeFileSync(`${outbound}-journal`, superJournalEnd(victim), { flag: 'a' })
      await expect(mailbox.takeFinal(HOSTILE, 0)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
      expect(lstatSync(victim).isFile()).toBe(true)
    })

    test('(I2) that locks its database for ever gets MAILBOX_BUSY each time, and neighbours are read meanwhile', async () => {
      const { mailbox } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      const holder = await holdDatabase(outbound, 'exclusive')
      const hostile = mailbox.take(HOSTILE, 0).catch((error: unknown) => error)
      expect(await mailbox.take(NEIGHBOUR, 0)).toMatchObject({ lastSeq: 1 })
      expect(await hostile).toMatchObject({ code: 'MAILBOX_BUSY' })
      await holder.kill()
    })

    test('(B12, I1) whose database never ends being read is timed out, again and again, before no neighbour', async () => {
      const { mailbox } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      // Whatever reads is started: from here on it is the order that counts.
      await Promise.all([mailbox.take(HOSTILE, 0), mailbox.take(NEIGHBOUR, 0)])
      replace(outbound, () => writeEndlessTree(outbound, 'messages_out'))
      const order: string[] = []
      const hostile = [1, 2, 3].map(() =>
        mailbox.take(HOSTILE, 0).catch((error: unknown) => {
          order.push('hostile')
          return error
        }),
      )
      for (let look = 0; look < 20; look += 1) {
        await mailbox.take(NEIGHBOUR, 0)
        order.push('neighbour')
      }
      for (const error of await Promise.all(hostile)) expect(error).toMatchObject({ code: 'MAILBOX_TIMEOUT' })
      expect(order.filter((who) => who === 'hostile')).toHaveLength(3)
      expect(order.slice(0, 10)).toEqual(Array(10).fill('neighbour'))
      // A new run starts unsuspected, on a new mailbox.
      await mailbox.prepare(projectionOf([], { sessionId: HOSTILE, epoch: 2 }), new Map(), null)
      expect(await mailbox.take(HOSTILE, 0)).toMatchObject({ lastSeq: 0 })
    }, 60_000)

    const ODD_ROWS: [what: string, write: (db: DatabaseSync) => void, expected: Partial<OutboxBatch>][] = [
      [
        'a row over the size bound, which the cursor passes',
        (db) => {
          writeReply(db, 1, { content: 'x'.repeat(PROTOCOL_LIMITS.contentBytes + 1) })
          db.exec(
            "INSERT INTO messages_out (id, seq, timestamp, kind, content) VALUES ('big', 3, '', '', zeroblob(50000000))",
          )
          writeReply(db, 5)
        },
        {
          lastSeq: 5,
          replies: [expect.objectContaining({ id: 'reply-5' })],
          refused: [refusal('seq 1'), refusal('seq 3')],
        },
      ],
      [
        'sequence numbers no cursor can reach',
        (db) => {
          writeReply(db, 9223372036854775807n)
          writeReply(db, -5)
          writeReply(db, 1.5)
          writeReply(db, 'text')
          writeReply(db, new Uint8Array([1]))
          writeReply(db, 7)
        },
        {
          lastSeq: 7,
          replies: [expect.objectContaining({ seq: 7 })],
          refused: [refusal('messages_out'), refusal('messages_out')],
        },
      ],
      [
        'ids that are no ids',
        (db) => {
          writeReply(db, 1, { id: '../../etc/passwd' })
          writeReply(db, 3, { id: 'nul\0nul' })
          writeReply(db, 5, { id: new Uint8Array([65]) })
          writeReply(db, 7, { id: 'x'.repeat(10_000) })
          writeReply(db, 9, { in_reply_to: '../m1', platform_id: new Uint8Array([65]), epoch: 1.5 })
        },
        {
          lastSeq: 9,
          replies: [expect.objectContaining({ seq: 9, inReplyTo: null, epoch: null })],
          refused: [refusal('seq 1'), refusal('seq 3'), refusal('seq 5'), refusal('seq 7')],
        },
      ],
      [
        'one id twice, where its own schema allows it',
        (db) => {
          db.exec('DROP TABLE messages_out; CREATE TABLE messages_out (id, seq INTEGER, timestamp, kind, content)')
          writeReply(db, 1, { id: 'twin' })
          writeReply(db, 3, { id: 'twin' })
          writeReply(db, 3, { id: 'other' })
        },
        { lastSeq: 3, replies: [expect.objectContaining({ id: 'twin', seq: 1 })], refused: [refusal('seq 3')] },
      ],
      [
        'content of every wrong kind',
        (db) => {
          // First, as it is larger than a batch: behind others it would wait for the next one.
          writeReply(db, 1, { content: '\0'.repeat(PROTOCOL_LIMITS.contentBytes - 10) })
          writeReply(db, 3, { content: new Uint8Array([123, 125]) })
          writeReply(db, 5, { content: `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}` })
          writeReply(db, 7, { content: 'nul\0nul' })
        },
        {
          lastSeq: 7,
          replies: [expect.objectContaining({ seq: 7, content: '{"text":"nul\\u0000nul"}' })],
          refused: [refusal('seq 1'), refusal('seq 3'), refusal('seq 5')],
        },
      ],
      [
        'times that are no times',
        (db) => {
          writeReply(db, 1, { deliver_after: 'tomorrow' })
          writeReply(db, 3, { deliver_after: 99999999999999 })
          writeReply(db, 5, { deliver_after: '2030-02-31T00:00:00Z' })
          writeReply(db, 7, { deliver_after: '9'.repeat(100_000) })
        },
        { lastSeq: 7, replies: [1, 3, 5, 7].map((seq) => expect.objectContaining({ seq, deliverAfterMs: null })) },
      ],
      [
        'acknowledgements that are none',
        (db) => {
          writeAck(db, 'm1', 'completed', {
            error: 'e'.repeat(100_000),
            status_changed: '0'.repeat(100_000),
            epoch: 2n ** 62n,
            attempt: 'x',
            retry_at: 'never',
            trouble: 'rate-limit\0',
          })
          writeAck(db, 'm2', 'COMPLETED')
          writeAck(db, '../m3', 'completed')
          writeAck(db, new Uint8Array([65]), 'failed')
        },
        {
          acks: [
            {
              messageId: 'm1',
              status: 'completed',
              statusChanged: null,
              epoch: null,
              attempt: null,
              error: 'e'.repeat(PROTOCOL_LIMITS.errorChars),
              retryAtMs: null,
              trouble: null,
            },
          ],
          refused: [refusal('processing_ack'), refusal('processing_ack')],
        },
      ],
      [
        'figures beyond every bound',
        (db) =>
          db
            .prepare(
              `INSERT INTO container_state (id, current_tool, tool_declared_timeout_ms, tool_expected_ms, tool_started_at,
                progress_seq) VALUES (1, ?, 9223372036854775807, -1e300, x'00', 1e400)`,
            )
            .run('t'.repeat(1_000_000)),
        {
          state: {
            tool: 't'.repeat(PROTOCOL_LIMITS.toolNameChars),
            toolDeclaredTimeoutMs: 604_800_000,
            toolExpectedMs: 0,
            toolStartedAtMs: null,
            progressSeq: Number.MAX_SAFE_INTEGER,
            openWork: null,
          },
        },
      ],
      [
        'open work beyond every bound',
        (db) =>
          db.prepare('INSERT INTO container_state (id, open_work) VALUES (1, ?)').run(
            JSON.stringify({
              tools: [
                ...Array.from({ length: 40 }, (_, id) => ({
                  id,
                  name: 'n'.repeat(300),
                  timeoutMs: 1e300,
                  renewals: -1,
                })),
                'no tool',
              ],
              wait: { seq: 1, reason: 'for ever', forMs: 5 },
            }),
          ),
        {
          state: expect.objectContaining({
            openWork: {
              wait: null,
              tools: Array.from({ length: PROTOCOL_LIMITS.openTools }, (_, at) => ({
                id: at + 8,
                name: 'n'.repeat(PROTOCOL_LIMITS.toolNameChars),
                timeoutMs: 691_200_000,
                expectedMs: null,
                isBackground: false,
                renewals: 0,
              })),
            },
          }),
        },
      ],
      [
        'session state over its bounds',
        (db) => {
          const insert = db.prepare("INSERT INTO session_state VALUES (?, ?, '')")
          insert.run('large', 'x'.repeat(PROTOCOL_LIMITS.stateValueBytes + 1))
          insert.run('nul\0', 'x')
          insert.run('fine', 'x'.repeat(PROTOCOL_LIMITS.stateValueBytes))
        },
        {
          sessionState: [{ key: 'fine', value: 'x'.repeat(PROTOCOL_LIMITS.stateValueBytes) }],
          refused: [refusal('session_state'), refusal('session_state')],
        },
      ],
    ]

    test.each(ODD_ROWS)('(G7) that writes %s is read within bounds', async (_, write, expected) => {
      const { mailbox } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      withDatabase(outbound, write)
      const batch = await mailbox.take(HOSTILE, 0)
      expect(batch).toMatchObject(expected)
      expect(await mailbox.take(HOSTILE, 0), 'nothing is told for good by a look that may have been lost').toEqual(
        batch,
      )
    })

    test('that writes 100,000 rows of everything is read in bounded batches', async () => {
      const { mailbox, takeRows } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      withDatabase(outbound, (db) =>
        db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
          INSERT INTO messages_out (id, seq, timestamp, kind, content) SELECT 'r' || i, 2 * i + 1, '', 'chat', '{}' FROM n;
          INSERT INTO processing_ack (message_id, status, status_changed) SELECT 'm' || seq, 'completed', '' FROM messages_out;
          INSERT INTO session_state SELECT 'k' || seq, 'v', '' FROM messages_out`),
      )
      const batch = await mailbox.take(HOSTILE, 0)
      expect(batch.replies).toHaveLength(takeRows)
      expect(batch.hasMore).toBe(true)
      expect(batch.acks).toHaveLength(1000)
      expect(batch.sessionState).toHaveLength(PROTOCOL_LIMITS.stateRows)
    })

    test('(C13) leaks no open file over 2,000 failing looks', async () => {
      const { mailbox, countOpenFiles } = harnessOf()
      const { outbound } = await prepareBoth(mailbox)
      writeFileSync(outbound, 'garbage '.repeat(1000))
      const fail = () => expect(mailbox.take(HOSTILE, 0)).rejects.toMatchObject({ code: 'MAILBOX_TORN' })
      for (let look = 0; look < 50; look += 1) await fail()
      const before = countOpenFiles()
      for (let look = 0; look < 2000; look += 1) await fail()
      expect(countOpenFiles()).toBe(before)
    }, 120_000)

    test('is not believed about inbound.db either: a sync after it was tampered with restores it', async () => {
      const { mailbox } = harnessOf()
      const { paths } = await prepareBoth(mailbox)
      const projection = projectionOf([messageOf('m1', 2)], { sessionId: HOSTILE })
      await mailbox.sync(projection)
      withDatabase(join(paths.in, INBOUND_DB), (db) => db.exec('DELETE FROM messages_in'))
      await mailbox.sync(projection)
      const ids = withDatabase(join(paths.in, INBOUND_DB), (db) => db.prepare('SELECT id FROM messages_in').all())
      expect(ids).toEqual([expect.objectContaining({ id: 'm1' })])
    })
  })
}

function replace(path: string, make: () => unknown): void {
  rmSync(path)
  make()
}

function refusal(what: string): { what: string; because: string } {
  return { what: expect.stringContaining(what), because: expect.any(String) }
}

/** The end of a journal that names a super-journal: page number, name, its length and checksum, magic. */
function superJournalEnd(path: string): Buffer {
  const name = Buffer.from(path)
  const end = Buffer.alloc(4 + name.length + 8)
  name.copy(end, 4)
  end.writeUInt32BE(name.length, 4 + name.length)
  end.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    8 + name.length,
  )
  return Buffer.concat([end, Buffer.from('d9d505f920a163d7', 'hex')])
}
