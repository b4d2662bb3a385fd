import { lstatSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HEARTBEAT_FILE, INBOUND_DB, OUTBOUND_DB } from '@sessiond/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Mailbox, Projection, SessionPaths } from '../../sessiond/src/ports.ts'
import { exerciseHostileMailbox } from './exercise-hostile-mailbox.ts'
import { holdDatabase, leaveHotJournal } from './hold-database.ts'
import { messageOf, projectionOf, withDatabase, writeAck, writeReply } from './mailbox-builders.ts'
import { until } from './until.ts'

/** What the suite needs of an adapter whose run side is two SQLite files; made anew for every test. */
export interface MailboxHarness {
  readonly mailbox: Mailbox
  /** Another mailbox on the same files, as after the host was restarted. */
  reopen(): Mailbox
  /** Bounds the mailboxes of this harness keep. */
  readonly takeRows: number
  readonly takeBytes: number
  readonly maxFileBytes: number
  /** Open files of this process and its readers. */
  countOpenFiles(): number
  /** Closes what it opened and deletes its files. */
  dispose(): Promise<void>
}

const SESSION = 'group/session'

/** The conformance suite of the mailbox port: an adapter that passes can serve a host and its runs. */
export function exerciseMailbox(name: string, makeHarness: () => Promise<MailboxHarness>): void {
  describe(`${name} as a Mailbox`, () => {
    let harness: MailboxHarness
    let mailbox: Mailbox
    let paths: SessionPaths
    let inbound: string
    let outbound: string

    beforeEach(async () => {
      harness = await makeHarness()
      mailbox = harness.mailbox
      paths = mailbox.pathsOf(SESSION)
      inbound = join(paths.in, INBOUND_DB)
      outbound = join(paths.out, OUTBOUND_DB)
    })

    afterEach(async () => {
      await harness.dispose()
    })

    const prepare = (projection: Projection = projectionOf([]), state: [string, string][] = []) =>
      mailbox.prepare(projection, new Map(state), null)

    const asRunner = (work: Parameters<typeof withDatabase>[1]) => withDatabase(outbound, work)

    function seenByRun(): { messages: unknown[]; run: unknown } {
      return withDatabase(inbound, (db) => ({
        messages: db
          .prepare('SELECT id, attempt, status, content FROM messages_in ORDER BY seq')
          .all()
          .map((row) => ({ ...row })),
        run: { ...db.prepare('SELECT epoch, taken_seq FROM run').get() },
      }))
    }

    const rowOf = (id: string, attempt = 1, status = 'pending') => ({
      id,
      attempt,
      status,
      content: JSON.stringify({ text: `text of ${id}` }),
    })

    describe('paths', () => {
      test.each(['../x/y', 'group', 'group/..', 'group/a\0b', 'a/b/c', '/etc', 'group/', '.hidden/x'])(
        'makes no path of %j',
        (sessionId) => {
          expect(() => mailbox.pathsOf(sessionId)).toThrow(expect.objectContaining({ code: 'SESSION_NAME_INVALID' }))
        },
      )
    })

    describe('prepare', () => {
      test('gives a run its messages, its epoch and what the agent must find again', async () => {
        await prepare(
          projectionOf([messageOf('m1', 2), messageOf('m2', 4, { attempt: 3 })], { epoch: 7, takenSeq: 5 }),
          [['thread', 'abc']],
        )
        expect(seenByRun()).toEqual({ messages: [rowOf('m1'), rowOf('m2', 3)], run: { epoch: 7, taken_seq: 5 } })
        const state = asRunner((db) => ({ ...db.prepare('SELECT key, value FROM session_state').get() }))
        expect(state).toEqual({ key: 'thread', value: 'abc' })
      })

      test('tells a run the zone of its session, and a change of it', async () => {
        const zoneSeen = () => withDatabase(inbound, (db) => db.prepare('SELECT time_zone FROM run').get()?.time_zone)
        await prepare(projectionOf([], { timeZone: 'Europe/Berlin' }))
        expect(zoneSeen()).toBe('Europe/Berlin')
        await mailbox.sync(projectionOf([], { timeZone: 'Asia/Tokyo' }))
        expect(zoneSeen()).toBe('Asia/Tokyo')
        await mailbox.sync(projectionOf([]))
        expect(zoneSeen()).toBeNull()
      })

      test('shows a run the answers to its requests, new ones, and old ones no more', async () => {
        const answer = (requestId: string) => ({ requestId, status: 'ok' as const, text: `of ${requestId}` })
        const answersSeen = () =>
          withDatabase(inbound, (db) => db.prepare('SELECT request_id, status, text FROM answers').all()).map((row) =>
            Object.values(row).join(' '),
          )
        await prepare(projectionOf([], { answers: [answer('q1')] }))
        expect(answersSeen()).toEqual(['q1 ok of q1'])
        await mailbox.sync(projectionOf([], { answers: [answer('q1'), answer('q2')] }))
        expect(answersSeen()).toEqual(['q1 ok of q1', 'q2 ok of q2'])
        await mailbox.sync(projectionOf([], { answers: [answer('q2')] }))
        expect(answersSeen()).toEqual(['q2 ok of q2'])
      })

      test('writes over what a host left that knew no answers', async () => {
        await prepare()
        withDatabase(inbound, (db) => db.exec('DROP TABLE answers'))
        await harness.reopen().sync(projectionOf([], { answers: [{ requestId: 'q', status: 'refused', text: 'No.' }] }))
        expect(withDatabase(inbound, (db) => db.prepare('SELECT status FROM answers').get())).toEqual({
          status: 'refused',
        })
      })

      test('writes over what a host left that knew no zones', async () => {
        const projection = projectionOf([messageOf('a', 2)], { timeZone: 'Europe/Berlin' })
        await prepare(projection)
        withDatabase(inbound, (db) => db.exec('ALTER TABLE run DROP COLUMN time_zone'))
        await harness.reopen().sync(projection)
        expect(withDatabase(inbound, (db) => db.prepare('SELECT time_zone FROM run').get())).toEqual({
          time_zone: 'Europe/Berlin',
        })
      })

      test('(A3) leaves nothing of the last run: no claims, no replies, no heartbeat; the workspace stays', async () => {
        await prepare()
        asRunner((db) => {
          writeAck(db, 'm1', 'processing', { epoch: 1 })
          writeReply(db, 1)
        })
        writeFileSync(join(paths.out, HEARTBEAT_FILE), '')
        writeFileSync(join(paths.work, 'notes'), 'kept')
        await prepare(projectionOf([], { epoch: 2 }))
        expect(await mailbox.take(SESSION, 0)).toMatchObject({ acks: [], replies: [] })
        expect(await mailbox.heartbeatMtimeMs(SESSION)).toBeNull()
        expect(readFileSync(join(paths.work, 'notes'), 'utf8')).toBe('kept')
      })

      test('(C3) lets no journal of the last run into the new databases', async () => {
        await prepare(projectionOf([messageOf('m1', 2)]))
        await leaveHotJournal(outbound)
        await leaveHotJournal(inbound)
        await prepare(projectionOf([messageOf('m2', 4)], { epoch: 2 }), [['k', 'v']])
        expect(seenByRun().messages).toEqual([rowOf('m2')])
        expect(await mailbox.takeFinal(SESSION, 0)).toMatchObject({ sessionState: [{ key: 'k', value: 'v' }] })
      })

      test('keeps inbound.db readable for every run and outbound.db for its own alone', async () => {
        await prepare()
        expect(lstatSync(inbound).mode & 0o777).toBe(0o644)
        expect(lstatSync(outbound).mode & 0o777).toBe(0o600)
      })
    })

    describe('sync', () => {
      test('makes the file equal to the projection: adds, changes, withdraws and removes', async () => {
        const [a, b, c, d] = [messageOf('a', 2), messageOf('b', 4), messageOf('c', 6), messageOf('d', 8)]
        await prepare(projectionOf([a, b, c]))
        await mailbox.sync({
          ...projectionOf([], { takenSeq: 9 }),
          messages: [
            { message: { ...b, attempt: 2 }, isWanted: true, isHeldBack: false, brief: null },
            { message: c, isWanted: false, isHeldBack: false, brief: null },
            { message: d, isWanted: true, isHeldBack: false, brief: null },
          ],
        })
        expect(seenByRun()).toEqual({
          messages: [rowOf('b', 2), rowOf('c', 1, 'failed'), rowOf('d')],
          run: { epoch: 1, taken_seq: 9 },
        })
      })

      test('shows what is held back as not yet due, and as due again once it is not', async () => {
        const dueOf = () => withDatabase(inbound, (db) => db.prepare('SELECT process_after FROM messages_in').all())
        const [message] = projectionOf([messageOf('a', 2)]).messages
        if (message === undefined) throw new Error('one was made')
        await prepare(projectionOf([message.message]))
        await mailbox.sync({ ...projectionOf([]), messages: [{ ...message, isHeldBack: true }] })
        expect(dueOf()).toMatchObject([{ process_after: expect.stringMatching(/^9999-/) }])
        await mailbox.sync(projectionOf([message.message]))
        expect(dueOf()).toMatchObject([{ process_after: null }])
      })

      test('writes nothing when nothing changed', async () => {
        const projection = projectionOf([messageOf('a', 2)])
        await prepare(projection)
        const before = lstatSync(inbound, { bigint: true })
        await mailbox.sync(projection)
        const after = lstatSync(inbound, { bigint: true })
        expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
      })

      test('writes only the difference into the same file', async () => {
        await prepare(projectionOf([messageOf('a', 2)]))
        const before = lstatSync(inbound)
        // Were row a written again, its new content would be there.
        await mailbox.sync(projectionOf([messageOf('a', 2, { content: '{"text":"other"}' }), messageOf('b', 4)]))
        expect(lstatSync(inbound).ino).toBe(before.ino)
        expect(seenByRun().messages).toEqual([rowOf('a'), rowOf('b')])
      })

      const DAMAGES: [string, (path: string) => void | Promise<void>][] = [
        ['lost', (path) => rmSync(path)],
        ['emptied', (path) => truncateSync(path, 0)],
        ['truncated', (path) => truncateSync(path, 5000)],
        ['overwritten with garbage', (path) => writeFileSync(path, 'garbage '.repeat(3000))],
        ['without its tables', (path) => withDatabase(path, (db) => db.exec('DROP TABLE messages_in'))],
        [
          'changed by another hand',
          (path) => withDatabase(path, (db) => db.exec("UPDATE messages_in SET status = 'x'")),
        ],
        ['left with a hot journal by a host that was killed', (path) => leaveHotJournal(path)],
        ['beside a forged journal', (path) => writeFileSync(`${path}-journal`, 'forged'.repeat(200))],
        [
          'replaced by a directory',
          (path) => {
            rmSync(path)
            mkdirSync(join(path, 'nested'), { recursive: true })
          },
        ],
      ]

      test.each(DAMAGES)('rebuilds a file that was %s', async (_, damage) => {
        const projection = projectionOf([messageOf('a', 2), messageOf('b', 4)], { epoch: 3 })
        await prepare(projection)
        await damage(inbound)
        await mailbox.sync(projection)
        expect(seenByRun()).toEqual({ messages: [rowOf('a'), rowOf('b')], run: { epoch: 3, taken_seq: 0 } })
        expect(withDatabase(inbound, (db) => db.prepare('PRAGMA integrity_check').get())).toEqual({
          integrity_check: 'ok',
        })
      })

      test.each(DAMAGES)('rebuilds a file that was %s while the host was down', async (_, damage) => {
        const projection = projectionOf([messageOf('a', 2), messageOf('b', 4)], { epoch: 3 })
        await prepare(projection)
        await damage(inbound)
        await harness.reopen().sync(projection)
        expect(seenByRun()).toEqual({ messages: [rowOf('a'), rowOf('b')], run: { epoch: 3, taken_seq: 0 } })
      })

      test('(I2) is not held up by a run that never ends its read of inbound.db', async () => {
        await prepare()
        const reader = await holdDatabase(inbound, 'reading')
        await mailbox.sync(projectionOf([messageOf('a', 2)]))
        expect(seenByRun().messages).toEqual([rowOf('a')])
        await reader.kill()
      })
    })

    describe('take', () => {
      test('returns what a runner wrote, in order, from the cursor on', async () => {
        await prepare()
        asRunner((db) => {
          const limited = { error: 'no luck', retry_at: '2030-01-01T00:00:00Z', trouble: 'rate-limit' }
          writeAck(db, 'm1', 'failed', { epoch: 1, attempt: 2, ...limited })
          writeReply(db, 1)
          writeReply(db, 5, { in_reply_to: 'm1', epoch: 1, platform_id: 'p', thread_id: 't', kind: 'task' })
          writeReply(db, 3)
          db.exec(
            `INSERT INTO container_state (id, current_tool, tool_declared_timeout_ms, progress_seq, open_work)
             VALUES (1, 'bash', 600000, 4, '{"tools":[],"wait":{"seq":7,"reason":"stream","pings":3}}')`,
          )
          db.exec("INSERT INTO session_state VALUES ('k', 'v', '2030-01-01T00:00:00Z')")
        })
        const batch = await mailbox.take(SESSION, 1)
        expect(batch).toEqual({
          acks: [
            {
              messageId: 'm1',
              status: 'failed',
              statusChanged: '2030-01-01T00:00:00Z',
              epoch: 1,
              attempt: 2,
              error: 'no luck',
              retryAtMs: Date.UTC(2030, 0, 1),
              trouble: 'rate-limit',
            },
          ],
          replies: [
            expect.objectContaining({ id: 'reply-3', seq: 3, content: '{"text":"reply 3"}' }),
            {
              id: 'reply-5',
              seq: 5,
              epoch: 1,
              inReplyTo: 'm1',
              kind: 'task',
              content: '{"text":"reply 5"}',
              deliverAfterMs: null,
              address: { platformId: 'p', channelType: null, threadId: 't' },
            },
          ],
          state: {
            tool: 'bash',
            toolDeclaredTimeoutMs: 600_000,
            toolExpectedMs: null,
            toolStartedAtMs: null,
            progressSeq: 4,
            openWork: { tools: [], wait: { seq: 7, reason: 'stream', forMs: null, pings: 3 } },
          },
          sessionState: [{ key: 'k', value: 'v' }],
          refused: [],
          lastSeq: 5,
          hasMore: false,
        })
      })

      test('hands out bounded batches until all is taken, each row once', async () => {
        await prepare()
        const count = harness.takeRows * 2 + 3
        asRunner((db) => {
          db.exec('BEGIN')
          for (let row = 0; row < count; row += 1) writeReply(db, 2 * row + 1)
          db.exec('COMMIT')
        })
        const seqs: number[] = []
        const sizes: number[] = []
        let cursor = 0
        for (let hasMore = true; hasMore; ) {
          const batch = await mailbox.take(SESSION, cursor)
          seqs.push(...batch.replies.map((reply) => reply.seq))
          sizes.push(batch.replies.length)
          cursor = batch.lastSeq
          hasMore = batch.hasMore
        }
        expect(seqs).toEqual(Array.from({ length: count }, (_, row) => 2 * row + 1))
        expect(sizes).toEqual([harness.takeRows, harness.takeRows, 3])
      })

      test('(C11) hears of a long task from a runner that forgets no acknowledgement', async () => {
        await prepare(projectionOf([messageOf('long', 2)]))
        asRunner((db) => {
          db.exec('BEGIN')
          for (const id of ['forgotten', 'long']) writeAck(db, id, 'processing')
          for (let row = 0; row < 1_000; row += 1) writeAck(db, `m${row}`, 'completed')
          db.exec("UPDATE processing_ack SET status = 'completed' WHERE message_id = 'long'; COMMIT")
        })
        for (const take of ['take', 'takeFinal'] as const) {
          const { acks } = await mailbox[take](SESSION, 0)
          expect(acks.map(({ messageId }) => messageId)).toEqual([
            'long',
            ...Array.from({ length: 1_000 }, (_, n) => `m${n}`),
          ])
          expect(acks[0]).toMatchObject({ status: 'completed' })
        }
      })

      test('bounds a batch in bytes, but never hands out nothing', async () => {
        await prepare()
        const content = JSON.stringify({ text: 'x'.repeat(harness.takeBytes - 100) })
        asRunner((db) => {
          writeReply(db, 1, { content })
          writeReply(db, 3, { content })
        })
        const first = await mailbox.take(SESSION, 0)
        expect([first.replies.length, first.lastSeq, first.hasMore]).toEqual([1, 1, true])
        const second = await mailbox.take(SESSION, first.lastSeq)
        expect([second.replies.length, second.lastSeq, second.hasMore]).toEqual([1, 3, false])
      })

      test('(A6) compares timestamps of every format by instant', async () => {
        await prepare()
        const same = [
          '2030-01-01T12:00:00.000Z',
          '2030-01-01 12:00:00',
          '2030-01-01T12:00',
          '2030-01-01T13:00:00+01:00',
          '2030-01-01T06:30:00-0530',
        ]
        asRunner((db) => same.forEach((deliver_after, row) => void writeReply(db, 2 * row + 1, { deliver_after })))
        const { replies } = await mailbox.take(SESSION, 0)
        expect(replies.map((reply) => reply.deliverAfterMs)).toEqual(same.map(() => Date.UTC(2030, 0, 1, 12)))
      })

      test('wraps plain text, which other runners write, as content', async () => {
        await prepare()
        const written = ['hello', '"quoted"', '5', '[1]', 'null', '{"text":"as is", "more":1}']
        asRunner((db) => written.forEach((content, row) => void writeReply(db, 2 * row + 1, { content })))
        const { replies } = await mailbox.take(SESSION, 0)
        expect(replies.map((reply) => reply.content)).toEqual([
          ...written.slice(0, 5).map((text) => JSON.stringify({ text })),
          '{"text":"as is", "more":1}',
        ])
      })

      test('(C11) tolerates the tables and columns another runner lacks', async () => {
        await prepare()
        rmSync(outbound)
        asRunner((db) => {
          db.exec(`CREATE TABLE messages_out (id TEXT PRIMARY KEY, seq INTEGER UNIQUE, timestamp TEXT, kind TEXT, content TEXT);
            CREATE TABLE processing_ack (message_id TEXT PRIMARY KEY, status TEXT, status_changed TEXT)`)
          writeReply(db, 1)
          writeAck(db, 'm1', 'completed')
        })
        expect(await mailbox.take(SESSION, 0)).toMatchObject({
          acks: [
            {
              messageId: 'm1',
              status: 'completed',
              epoch: null,
              attempt: null,
              error: null,
              retryAtMs: null,
              trouble: null,
            },
          ],
          replies: [{ id: 'reply-1', epoch: null, inReplyTo: null }],
          state: null,
          sessionState: [],
        })
      })

      test.each([
        ['absent', () => rmSync(outbound)],
        ['empty', () => truncateSync(outbound, 0)],
        ['short', () => truncateSync(outbound, 100)],
      ])('(C14) takes an %s file of a live run for "not yet" and leaves it as it is', async (_, make) => {
        await prepare()
        make()
        expect(await mailbox.take(SESSION, 7)).toMatchObject({ acks: [], replies: [], lastSeq: 7, hasMore: false })
        expect(lstatSync(outbound, { throwIfNoEntry: false })?.size ?? 0).toBeLessThanOrEqual(100)
      })

      test('says MAILBOX_TORN of a file that is no database', async () => {
        await prepare()
        writeFileSync(outbound, 'garbage '.repeat(1000))
        await expect(mailbox.take(SESSION, 0)).rejects.toMatchObject({ code: 'MAILBOX_TORN' })
      })

      test('(C2) says MAILBOX_BUSY while a writer holds the file, and reads it once it has let go', async () => {
        await prepare()
        asRunner((db) => writeReply(db, 1))
        const writer = await holdDatabase(outbound, 'exclusive')
        await expect(mailbox.take(SESSION, 0)).rejects.toMatchObject({ code: 'MAILBOX_BUSY', retryable: true })
        await writer.kill()
        expect(await mailbox.take(SESSION, 0)).toMatchObject({ lastSeq: 1 })
      })

      test('(I10) costs the same whatever the history: rows taken and deleted leave no trace', async () => {
        await prepare()
        let cursor = 0
        const sizes: number[] = []
        for (let round = 0; round < 40; round += 1) {
          asRunner((db) => {
            const { taken } = {
              ...withDatabase(inbound, (host) => host.prepare('SELECT taken_seq AS taken FROM run').get()),
            }
            db.prepare('DELETE FROM messages_out WHERE seq <= ?').run(taken ?? 0)
            for (let row = 0; row < 5; row += 1) writeReply(db, cursor + 2 * row + 1)
          })
          const batch = await mailbox.take(SESSION, cursor)
          expect(batch.replies).toHaveLength(5)
          cursor = batch.lastSeq + 1
          await mailbox.sync(projectionOf([messageOf(`m${round}`, 2 * round + 2)], { takenSeq: batch.lastSeq }))
          sizes.push(lstatSync(outbound).size + lstatSync(inbound).size)
        }
        expect(new Set(sizes.slice(2)).size).toBe(1)
      })
    })

    describe('a run that was killed', () => {
      test('(C1) leaves a hot journal: MAILBOX_BUSY while it may live, recovered once it is confirmed gone', async () => {
        await prepare()
        asRunner((db) => {
          writeReply(db, 1)
          writeAck(db, 'm1', 'completed')
        })
        await leaveHotJournal(outbound)
        await expect(mailbox.take(SESSION, 0)).rejects.toMatchObject({ code: 'MAILBOX_BUSY' })
        expect(lstatSync(`${outbound}-journal`).size).toBeGreaterThan(0)
        const batch = await mailbox.takeFinal(SESSION, 0)
        expect(batch).toMatchObject({ acks: [{ messageId: 'm1' }], replies: [{ id: 'reply-1' }] })
        expect(lstatSync(`${outbound}-journal`, { throwIfNoEntry: false })).toBeUndefined()
      })

      test('(C5) had turned WAL on: refused while it may live, converted and read once it is gone', async () => {
        await prepare()
        const writer = await holdDatabase(outbound, 'wal')
        await expect(mailbox.take(SESSION, 0)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
        await writer.kill()
        expect(await mailbox.takeFinal(SESSION, 0)).toMatchObject({ replies: [{ id: 'in-the-wal' }] })
        expect(asRunner((db) => ({ ...db.prepare('PRAGMA journal_mode').get() }))).toEqual({ journal_mode: 'delete' })
      })

      test('left nothing: an empty batch', async () => {
        await prepare()
        rmSync(outbound)
        expect(await mailbox.takeFinal(SESSION, 3)).toMatchObject({ replies: [], lastSeq: 3, hasMore: false })
      })

      test('(C3) left something unreadable: set aside with its journal, at most three kept', async () => {
        const kept: (string | null)[] = []
        for (let epoch = 1; epoch <= 5; epoch += 1) {
          await prepare(projectionOf([], { epoch }))
          await leaveHotJournal(outbound)
          writeFileSync(outbound, 'garbage '.repeat(1000))
          await expect(mailbox.takeFinal(SESSION, 0)).rejects.toMatchObject({ code: 'MAILBOX_TORN' })
          kept.push(await mailbox.setAside(SESSION, epoch))
          expect(await mailbox.takeFinal(SESSION, 0)).toMatchObject({ replies: [] })
        }
        expect(kept).toEqual([1, 2, 3, 4, 5].map((epoch) => join(paths.runs, `${epoch}.outbound.db`)))
        const there = kept.map((path) => lstatSync(path ?? '', { throwIfNoEntry: false }) !== undefined)
        expect(there).toEqual([false, false, true, true, true])
        expect(await mailbox.setAside(SESSION, 6)).toBeNull()
      })
    })

    describe('signs of life', () => {
      test('tells when the heartbeat moved, of a plain file only', async () => {
        await prepare()
        const path = join(paths.out, HEARTBEAT_FILE)
        expect(await mailbox.heartbeatMtimeMs(SESSION)).toBeNull()
        writeFileSync(path, '')
        utimesSync(path, 1000, 1000)
        expect(await mailbox.heartbeatMtimeMs(SESSION)).toBe(1_000_000)
        expect(await mailbox.heartbeatMtimeMs('group/other')).toBeNull()
      })

      test('names the outbox anew after every commit, and none where there is none', async () => {
        expect(await mailbox.outboxStamp('group/other')).toBeNull()
        await prepare()
        const names = [await mailbox.outboxStamp(SESSION), await mailbox.outboxStamp(SESSION)]
        expect(new Set(names).size).toBe(1)
        for (const seq of [1, 3]) {
          asRunner((db) => writeReply(db, seq))
          names.push(await mailbox.outboxStamp(SESSION))
        }
        expect(names).not.toContain(null)
        expect(new Set(names).size).toBe(3)
      })

      test('calls back after a commit of the run, and not any more once unwatched', async () => {
        await prepare()
        let calls = 0
        const stop = mailbox.watch(SESSION, () => {
          calls += 1
        })
        asRunner((db) => writeReply(db, 1))
        await until(() => expect(calls).toBeGreaterThan(0))
        stop()
        const seen = calls
        asRunner((db) => writeReply(db, 3))
        await mailbox.take(SESSION, 0)
        expect(calls).toBe(seen)
      })

      test('notices a run that starts to write after its directory came late', async () => {
        let calls = 0
        const stop = mailbox.watch(SESSION, () => {
          calls += 1
        })
        await prepare()
        asRunner((db) => writeReply(db, 1))
        await until(() => expect(calls).toBeGreaterThan(0))
        stop()
      })
    })

    exerciseHostileMailbox(() => harness)
  })
}
