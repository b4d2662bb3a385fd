import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
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
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openInstallation } from '../../src/nanoclaw/open-installation.ts'
import { planInstallation } from '../../src/nanoclaw/prune-installation.ts'
import { type ReadProgress, type ReferenceOptions, readReferences } from '../../src/nanoclaw/read-references.ts'
import type { ArtifactFiles } from '../../src/prune/artifact-files.ts'
import { realWorld } from '../../src/world.ts'
import { exec, makeRoot, prune, pruneMeanwhile, snapshot } from './installation-fixture.ts'

const GROUP = 'ag-1'
const OUTBOX = `${v2Session(GROUP, 'sess-1')}/outbound.db`
const PROJECT = `${v2Claude(GROUP)}/projects/-workspace-agent`

/** A session's folder in which nothing has been written for so many days. */
function oldMailbox(root: string, id: string, days: number, mailbox: V2Mailbox = {}): void {
  makeV2Mailbox(root, GROUP, id, mailbox)
  writeAged(root, `${v2Session(GROUP, id)}/.heartbeat`, days)
  for (const name of ['inbound.db', 'outbound.db', '.']) setAge(join(root, v2Session(GROUP, id), name), days)
}

afterEach(() => void vi.unstubAllEnvs())

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
      { ...closed, id: 'sess-resting' },
      { ...closed, id: 'sess-later' },
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
    oldMailbox(place.root, 'sess-resting', 30, { messages: [{ id: 't1', status: 'paused', recurrence: '0 9 * * *' }] })
    oldMailbox(place.root, 'sess-later', 30)
    renameTable(place.root, 'sess-later', 'messages_out')
    oldMailbox(place.root, 'sess-unsent', 30, { replies: ['r1', 'r2'], delivered: ['r1'] })
    const torn = join(place.root, v2Session(GROUP, 'sess-torn'), 'outbound.db')
    truncateSync(torn, 700)
    setAge(torn, 30)
    const { planned, result } = await prune(place.root, 'nanoclaw-v2')
    expect(planned).toEqual([v2Session(GROUP, 'sess-done')])
    expect(result.removals).toMatchObject([{ group: GROUP, session: 'sess-done' }])
    expect(result.plan.sessions).toMatchObject([{ group: GROUP, session: 'sess-done' }])
    await prune(place.root, 'nanoclaw-v2', '--apply')
    expect(place.has(v2Session(GROUP, 'sess-done'))).toBe(false)
    for (const id of ['open', 'paused', 'recent', 'running', 'waiting', 'resting', 'later', 'unsent', 'torn']) {
      expect(place.has(`${v2Session(GROUP, `sess-${id}`)}/inbound.db`), id).toBe(true)
    }
    const again = await prune(place.root, 'nanoclaw-v2', '--apply')
    expect([again.code, again.result.plan.removed.entries]).toEqual([0, 0])
  })

  it('counts the replies of a long life in time, all of them delivered', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', status: 'closed' }]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1')
    const folder = join(place.root, v2Session(GROUP, 'sess-1'))
    const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)`
    exec(join(folder, 'inbound.db'), `${many} INSERT INTO delivered SELECT 'reply-' || i, NULL, 'delivered', '' FROM n`)
    exec(
      join(folder, 'outbound.db'),
      `${many} INSERT INTO messages_out (id, timestamp, kind, content) SELECT 'reply-' || i, '', 'chat', '{}' FROM n`,
    )
    for (const name of ['inbound.db', 'outbound.db', '.']) setAge(join(folder, name), 30)
    expect((await prune(place.root, 'nanoclaw-v2')).planned).toEqual([v2Session(GROUP, 'sess-1')])
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

  it.each<[string, string, (folder: string) => void]>([
    ['has another name than most', 'main-session', () => {}],
    ['is a link', 'sess-1', (folder) => moveAway(folder)],
  ])('keeps the conversation of an open session whose folder %s (F4)', async (_, id, spoil) => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id, containerStatus: 'running' },
      { group: GROUP, id: 'sess-2' },
    ]).close()
    oldMailbox(place.root, id, 30, { state: { 'continuation:claude': 'live' } })
    oldMailbox(place.root, 'sess-2', 30)
    leaveV2Files(place.root, GROUP, 'live', 30)
    spoil(join(place.root, v2Session(GROUP, id)))
    await prune(place.root, 'nanoclaw-v2', '--apply', '--orphans')
    expect(place.has(`${PROJECT}/live.jsonl`)).toBe(true)
    expect(place.has(v2Session(GROUP, id))).toBe(true)
  })

  it.each<[string, string, (root: string) => void]>([
    ['its table of them has another name', 'stopped', (root) => renameTable(root, 'sess-1', 'session_state')],
    ['it has no outbox beside its inbox', 'stopped', (root) => unlinkSync(join(root, OUTBOX))],
    [
      'it runs and has no folder',
      'running',
      (root) => rmSync(join(root, v2Session(GROUP, 'sess-1')), { recursive: true }),
    ],
  ])('prunes nothing when no id of an open session is known, for %s (F4)', async (_, containerStatus, spoil) => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', containerStatus }]).close()
    oldMailbox(place.root, 'sess-1', 30, { state: { 'continuation:claude': 'live' } })
    leaveV2Files(place.root, GROUP, 'live', 30)
    spoil(place.root)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).error).toBe('REFERENCES_UNREADABLE')
    expect(place.has(`${PROJECT}/live.jsonl`)).toBe(true)
  })

  it('prunes with a session on record that has no folder yet', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-1' },
      { group: GROUP, id: 'sess-new' },
    ]).close()
    oldMailbox(place.root, 'sess-1', 30)
    leaveV2Files(place.root, GROUP, 'old', 30)
    expect((await prune(place.root, 'nanoclaw-v2')).planned).toContain(`${PROJECT}/old.jsonl`)
  })

  it('refuses when not one session on record has a folder while there are conversations (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    leaveV2Files(place.root, GROUP, 'old', 30)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it('goes on once it has removed the folders of all sessions on record, in the same run and in later ones', async () => {
    await using place = await makeRoot()
    const closed = { group: GROUP, status: 'closed' }
    makeV2(place.root, [
      { ...closed, id: 'sess-1' },
      { ...closed, id: 'sess-2' },
    ]).close()
    for (const id of ['sess-1', 'sess-2']) oldMailbox(place.root, id, 99)
    for (let log = 0; log < 501; log++) writeAged(place.root, `${v2Claude(GROUP)}/debug/old-${log}.txt`, 30)
    const { code, result } = await prune(place.root, 'nanoclaw-v2', '--apply')
    expect([code, result?.applied.next, result?.isDone]).toEqual([0, 503, true])
    leaveV2Files(place.root, GROUP, 'old', 30)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).code).toBe(0)
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(false)
  })

  it('goes on beside a session that has no folder yet once it has removed all that there were', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-1', status: 'closed' },
      { group: GROUP, id: 'sess-new' },
    ]).close()
    oldMailbox(place.root, 'sess-1', 99)
    for (let log = 0; log < 501; log++) writeAged(place.root, `${v2Claude(GROUP)}/debug/old-${log}.txt`, 30)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).result?.isDone).toBe(true)
  })

  it('keeps what any folder goes on with when all sessions on record are over and without one (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', status: 'closed' }]).close()
    oldMailbox(place.root, 'sess-stray', 30, { state: { 'continuation:claude': 'stray' } })
    oldMailbox(place.root, 'main-session', 30, { state: { 'continuation:claude': 'main' } })
    for (const id of ['stray', 'main', 'old']) leaveV2Files(place.root, GROUP, id, 30)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply', '--orphans')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).code).toBe(0)
    expect(['stray', 'main', 'old'].map((id) => place.has(`${PROJECT}/${id}.jsonl`))).toEqual([true, true, false])
    expect(place.has(v2Session(GROUP, 'sess-stray'))).toBe(true)
  })

  it('keeps with a folder that is not on record the conversation it goes on with (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30)
    oldMailbox(place.root, 'sess-stray', 30, { state: { 'continuation:claude': 'stray' } })
    leaveV2Files(place.root, GROUP, 'stray', 30)
    expect((await prune(place.root, 'nanoclaw-v2')).planned).toEqual([])
    expect((await prune(place.root, 'nanoclaw-v2', '--orphans')).planned).toContain(`${PROJECT}/stray.jsonl`)
    truncateSync(join(place.root, v2Session(GROUP, 'sess-stray'), 'outbound.db'), 600)
    expect((await prune(place.root, 'nanoclaw-v2', '--apply')).error).toBe('REFERENCES_UNREADABLE')
    expect((await prune(place.root, 'nanoclaw-v2', '--orphans')).error).toBe(null)
  })

  it('copies no database again for any batch while none has changed (F6)', async () => {
    await using place = await makeRoot()
    await using temp = await makeRoot()
    vi.stubEnv('TMPDIR', temp.root)
    const ids = ['sess-1', 'sess-2', 'sess-3']
    makeV2(
      place.root,
      ids.map((id) => ({ group: GROUP, id })),
    ).close()
    for (const id of ids) oldMailbox(place.root, id, 30)
    for (let log = 0; log < 1_001; log++) writeAged(place.root, `${v2Claude(GROUP)}/debug/old-${log}.txt`, 30)
    // Without the folder for them there can be no copies.
    const dropCopies = () => {
      for (const name of readdirSync(temp.root)) rmSync(join(temp.root, name), { recursive: true })
    }
    const { applied } = await pruneMeanwhile(place.root, 'nanoclaw-v2', dropCopies, { limits: { settledMs: 0 } })
    expect(applied.next).toBe(1_001)
    expect(place.has(`${v2Claude(GROUP)}/debug/old-1000.txt`)).toBe(false)
  })

  it('sees before a batch what a session has gone on with since the plan (F4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30)
    for (const id of ['back', 'old']) leaveV2Files(place.root, GROUP, id, 30)
    const goOn = () => exec(join(place.root, OUTBOX), "INSERT INTO session_state VALUES ('sdk_session_id', 'back', '')")
    await pruneMeanwhile(place.root, 'nanoclaw-v2', goOn, { limits: { settledMs: 0 } })
    expect([place.has(`${PROJECT}/back.jsonl`), place.has(`${PROJECT}/old.jsonl`)]).toEqual([true, false])
  })

  it('reads of sessions that are over, before a batch, only those whose folders are in it', async () => {
    await using place = await makeRoot()
    const over = ['sess-2', 'sess-3', 'sess-4'].map((id) => ({ group: GROUP, id, status: 'closed' }))
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }, ...over]).close()
    for (const id of ['sess-1', 'sess-2', 'sess-3', 'sess-4']) oldMailbox(place.root, id, 30)
    const read = async (batch: ReferenceOptions['batch']) => (await readSessions(place.root, { batch })).read
    expect(await read(null)).toBe(4)
    expect(await read([])).toBe(1)
    expect(await read([{ group: GROUP, session: 'sess-3' }])).toBe(2)
  })

  it('reads no further session once it is interrupted', async () => {
    await using place = await makeRoot()
    const ids = ['sess-1', 'sess-2', 'sess-3']
    makeV2(
      place.root,
      ids.map((id) => ({ group: GROUP, id })),
    ).close()
    for (const id of ids) oldMailbox(place.root, id, 30)
    const interruption = new AbortController()
    const onRead = () => interruption.abort()
    const reading = await readSessions(place.root, { interrupted: interruption.signal, onRead })
    expect(reading).toEqual({ read: 1, error: interruption.signal.reason })
  })

  it('asks while it plans whether it was interrupted, and ends with what it has seen', async () => {
    await using place = await makeRoot()
    makeV2(place.root, []).close()
    leaveV2Files(place.root, GROUP, 'old', 30)
    const interruption = new AbortController()
    await using reader = await openInstallation(place.root, 'nanoclaw-v2', realWorld)
    const answers: unknown[] = []
    const files: ArtifactFiles = {
      apply: () => Promise.reject(new Error('Nothing is to be removed.')),
      close: async () => {},
      async plan({ rules, mayGoOn }) {
        answers.push(await mayGoOn?.())
        interruption.abort()
        answers.push(await mayGoOn?.())
        return { plannedAtMs: 0, rules, removals: [], classes: [], isPartial: true }
      },
    }
    const common = { reader, layout: 'nanoclaw-v2', world: realWorld, removesOrphans: false, onRead: () => {} } as const
    const { plan } = await planInstallation({ ...common, files, interrupted: interruption.signal })
    expect([answers, plan.isPartial]).toEqual([[true, false], true])
  })

  it('tells what has gone when it is interrupted between its batches', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    oldMailbox(place.root, 'sess-1', 30)
    leaveV2Files(place.root, GROUP, 'old', 30)
    const interruption = new AbortController()
    const interrupt = () => interruption.abort()
    const { plan, applied } = await pruneMeanwhile(place.root, 'nanoclaw-v2', interrupt, {
      interrupted: interruption.signal,
    })
    expect([plan.removals.length, applied.next]).toEqual([5, 0])
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

/** How many sessions were read, and what ended that. */
async function readSessions(root: string, options: Partial<ReferenceOptions>) {
  await using reader = await openInstallation(root, 'nanoclaw-v2', realWorld)
  let read = 0
  const onRead = (progress: ReadProgress) => {
    read = progress.read
    options.onRead?.(progress)
  }
  const interrupted = new AbortController().signal
  const error = await readReferences(reader, 'nanoclaw-v2', {
    removesOrphans: false,
    batch: null,
    planned: new Set(),
    interrupted,
    ...options,
    onRead,
  }).then(
    () => null,
    (reason) => reason,
  )
  return { read, error }
}

/** A later version calls a table otherwise. */
function renameTable(root: string, id: string, table: string): void {
  const file = join(root, v2Session(GROUP, id), 'outbound.db')
  exec(file, `ALTER TABLE ${table} RENAME TO runner_${table}`)
  for (const path of [file, dirname(file)]) setAge(path, 30)
}

/** A folder moved to where there is more room, a link in its place. */
function moveAway(folder: string): void {
  const away = `${folder}-away`
  renameSync(folder, away)
  symlinkSync(away, folder)
}

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
