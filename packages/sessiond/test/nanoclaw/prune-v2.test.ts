import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { leaveHotJournal } from '@sessiond/testkit'
import {
  addV2Session,
  leaveV2Files,
  makeV2,
  makeV2Mailbox,
  setAge,
  type V2Mailbox,
  v2Claude,
  v2Session,
  writeAged,
} from '@sessiond/testkit/nanoclaw'
import { describe, expect, it } from 'vitest'
import { makeRoot, prune, snapshot } from './installation-fixture.ts'

const GROUP = 'ag-1'
const PROJECT = `${v2Claude(GROUP)}/projects/-workspace-agent`

/** A session's folder in which nothing has been written for so many days. */
function oldMailbox(root: string, id: string, days: number, mailbox: V2Mailbox = {}): void {
  makeV2Mailbox(root, GROUP, id, mailbox)
  writeAged(root, `${v2Session(GROUP, id)}/.heartbeat`, days)
  for (const name of ['inbound.db', 'outbound.db', '.']) setAge(join(root, v2Session(GROUP, id), name), days)
}

describe('prune --layout nanoclaw-v2', () => {
  it('keeps the conversations that open sessions go on with, however cold, and removes those of nobody (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-1-a' },
      { group: GROUP, id: 'sess-2-b' },
    ]).close()
    oldMailbox(place.root, 'sess-1-a', 400, { state: { 'continuation:claude': 'cold' } })
    oldMailbox(place.root, 'sess-2-b', 400, { state: { sdk_session_id: 'older', turn_send_invoked: '1' } })
    for (const id of ['cold', 'older', 'col', 'cold2']) leaveV2Files(place.root, GROUP, id, 400)
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v2')
    expect(snapshot(place.root)).toEqual(before)
    const gone = (id: string) => [
      `${PROJECT}/${id}`,
      `${PROJECT}/${id}.jsonl`,
      `${v2Claude(GROUP)}/debug/${id}.txt`,
      `${v2Claude(GROUP)}/telemetry/1p_failed_events.${id}.9f6f.json`,
      `${v2Claude(GROUP)}/todos/${id}-agent-${id}.json`,
    ]
    expect(planned).toEqual([...gone('col'), ...gone('cold2')].sort())
    await prune(place.root, 'nanoclaw-v2', '--apply')
    expect(planned.filter((path) => place.has(path))).toEqual([])
    expect(place.has(`${PROJECT}/cold.jsonl`)).toBe(true)
    expect(place.has(v2Session(GROUP, 'sess-1-a'))).toBe(true)
  })

  it('removes the folders of closed sessions that owe nothing, and of no others (F4, F9)', async () => {
    await using place = await makeRoot()
    const closed = { group: GROUP, status: 'closed' }
    makeV2(place.root, [
      { group: GROUP, id: 'sess-open' },
      { group: GROUP, id: 'sess-paused', status: 'archived' },
      { ...closed, id: 'sess-done' },
      { ...closed, id: 'sess-recent' },
      { ...closed, id: 'sess-running', containerStatus: 'running' },
      { ...closed, id: 'sess-waiting' },
      { ...closed, id: 'sess-unsent' },
      { ...closed, id: 'sess-torn' },
    ]).close()
    for (const id of ['sess-open', 'sess-paused', 'sess-running', 'sess-torn']) oldMailbox(place.root, id, 30)
    oldMailbox(place.root, 'sess-recent', 6)
    oldMailbox(place.root, 'sess-done', 30, {
      messages: [{ id: 'm1', status: 'completed' }],
      replies: ['r1'],
      delivered: ['r1'],
    })
    oldMailbox(place.root, 'sess-waiting', 30, { messages: [{ id: 'm1', status: 'pending' }] })
    oldMailbox(place.root, 'sess-unsent', 30, { replies: ['r1', 'r2'], delivered: ['r1'] })
    const torn = join(place.root, v2Session(GROUP, 'sess-torn'), 'outbound.db')
    truncateSync(torn, 700)
    setAge(torn, 30)
    expect((await prune(place.root, 'nanoclaw-v2')).planned).toEqual([v2Session(GROUP, 'sess-done')])
    await prune(place.root, 'nanoclaw-v2', '--apply')
    expect(place.has(v2Session(GROUP, 'sess-done'))).toBe(false)
    for (const id of ['open', 'paused', 'recent', 'running', 'waiting', 'unsent', 'torn']) {
      expect(place.has(`${v2Session(GROUP, `sess-${id}`)}/inbound.db`), id).toBe(true)
    }
    const again = await prune(place.root, 'nanoclaw-v2', '--apply')
    expect([again.code, again.result.plan.removed.entries]).toEqual([0, 0])
  })

  it('never takes what belongs to a group for a session of it', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', status: 'closed' }]).close()
    oldMailbox(place.root, 'sess-1', 30)
    for (const path of ['.claude-shared/settings.json', '.context/sess-1.json', 'agent-runner-src/index.ts']) {
      writeAged(place.root, `data/v2-sessions/${GROUP}/${path}`, 99)
    }
    for (const name of ['.claude-shared', '.context', 'agent-runner-src']) {
      setAge(join(place.root, 'data/v2-sessions', GROUP, name), 99)
    }
    const { planned } = await prune(place.root, 'nanoclaw-v2', '--orphans')
    expect(planned).toEqual([v2Session(GROUP, 'sess-1')])
  })

  it('tells of session folders without a session on record, and removes them only when asked', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30)
    oldMailbox(place.root, 'sess-stray', 30)
    const shown = await prune(place.root, 'nanoclaw-v2')
    expect([shown.planned, shown.result.orphans]).toEqual([[], [`${GROUP}/sess-stray`]])
    await prune(place.root, 'nanoclaw-v2', '--apply')
    expect(place.has(v2Session(GROUP, 'sess-stray'))).toBe(true)
    await prune(place.root, 'nanoclaw-v2', '--apply', '--orphans')
    expect(place.has(v2Session(GROUP, 'sess-stray'))).toBe(false)
    expect(place.has(v2Session(GROUP, 'sess-1'))).toBe(true)
  })

  it.each<[string, (file: string) => void]>([
    ['a pipe', (file) => replace(file, () => execFileSync('mkfifo', [file]))],
    ['a link to another database', (file) => replace(file, () => symlinkSync('inbound.db', file))],
    ['a folder', (file) => replace(file, () => mkdirSync(file))],
    ['not a database', (file) => writeFileSync(file, 'x'.repeat(4_096))],
    ['cut short', (file) => truncateSync(file, 600)],
    ['without an end when it is read', endless],
    ['beside a journal that is a pipe', (file) => void execFileSync('mkfifo', [`${file}-journal`])],
    ['beside a journal that is a link', (file) => symlinkSync('/etc/passwd', `${file}-journal`)],
  ])('prunes nothing when the outbox of an open session is %s (G4, G5)', async (_, spoil) => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30, { state: { 'continuation:claude': 'live' } })
    leaveV2Files(place.root, GROUP, 'old', 30)
    writeAged(place.root, 'groups/main/logs/a.log', 30)
    spoil(join(place.root, v2Session(GROUP, 'sess-1'), 'outbound.db'))
    const { error, message } = await prune(place.root, 'nanoclaw-v2', '--apply')
    expect(error).toBe('REFERENCES_UNREADABLE')
    expect(message).toContain('outbound.db')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
    expect(place.has('groups/main/logs/a.log')).toBe(true)
  })

  it('reads what a killed container left half-done without completing it in the tree (C3)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30, { state: { 'continuation:claude': 'live' } })
    leaveV2Files(place.root, GROUP, 'live', 30)
    leaveV2Files(place.root, GROUP, 'old', 30)
    await leaveHotJournal(join(place.root, v2Session(GROUP, 'sess-1'), 'outbound.db'))
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v2')
    expect(planned).toContain(`${PROJECT}/old.jsonl`)
    expect(planned).not.toContain(`${PROJECT}/live.jsonl`)
    expect(snapshot(place.root)).toEqual(before)
  })

  it('refuses when no session on record has a folder while there are others (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, []).close()
    oldMailbox(place.root, 'sess-1', 30)
    leaveV2Files(place.root, GROUP, 'old', 30)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply', '--orphans')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(place.has(v2Session(GROUP, 'sess-1'))).toBe(true)
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it('tolerates columns and tables that an older or newer version lacks (C11)', async () => {
    await using place = await makeRoot()
    const db = makeV2(place.root, [{ group: GROUP, id: 'sess-1', status: 'closed' }])
    db.exec('ALTER TABLE sessions DROP COLUMN status; ALTER TABLE sessions DROP COLUMN container_status')
    db.exec('PRAGMA foreign_keys=OFF; DROP TABLE agent_groups')
    db.close()
    oldMailbox(place.root, 'sess-1', 30, { state: { 'continuation:claude': 'live' } })
    leaveV2Files(place.root, GROUP, 'live', 30)
    leaveV2Files(place.root, GROUP, 'old', 30)
    using outbound = new DatabaseSync(join(place.root, v2Session(GROUP, 'sess-1'), 'outbound.db'))
    outbound.exec(
      'DROP TABLE container_state; DROP TABLE messages_out; ALTER TABLE processing_ack DROP COLUMN status_changed',
    )
    const { planned } = await prune(place.root, 'nanoclaw-v2')
    expect(planned).toContain(`${PROJECT}/old.jsonl`)
    // Nobody says that it is closed, so it is open.
    expect(planned).not.toContain(v2Session(GROUP, 'sess-1'))
    expect(planned).not.toContain(`${PROJECT}/live.jsonl`)
  })

  it('sees a session that came to life only in the log of the central database (C3)', async () => {
    await using place = await makeRoot()
    using db = makeV2(place.root, [{ group: GROUP, id: 'sess-1', status: 'closed' }])
    oldMailbox(place.root, 'sess-1', 30)
    oldMailbox(place.root, 'sess-2', 30, { state: { 'continuation:claude': 'late' } })
    leaveV2Files(place.root, GROUP, 'late', 30)
    addV2Session(db, { group: GROUP, id: 'sess-2' })
    db.exec("UPDATE sessions SET status = 'active' WHERE id = 'sess-1'")
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v2', '--orphans')
    expect(planned).toEqual([])
    expect(snapshot(place.root)).toEqual(before)
  })
})

function replace(file: string, put: () => void): void {
  unlinkSync(file)
  put()
}

function endless(file: string): void {
  rmSync(file)
  using db = new DatabaseSync(file)
  db.exec(`CREATE VIEW session_state AS WITH RECURSIVE n(key, value) AS (SELECT 'continuation:claude', 1 UNION ALL
    SELECT key, value + 1 FROM n) SELECT key, value FROM n`)
}
