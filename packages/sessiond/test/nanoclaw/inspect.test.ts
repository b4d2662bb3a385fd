import { execFileSync } from 'node:child_process'
import { chmodSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { leaveHotJournal } from '@sessiond/testkit'
import {
  addV2Session,
  makeV2,
  makeV2Mailbox,
  setAge,
  v2Session,
  writeAged,
  writeEndlessTree,
} from '@sessiond/testkit/nanoclaw'
import { describe, expect, it } from 'vitest'
import { compileConfig } from '../../src/config/compile-config.ts'
import { inspectInstallation } from '../../src/nanoclaw/inspect-installation.ts'
import { openInstallation } from '../../src/nanoclaw/open-installation.ts'
import { realWorld } from '../../src/world.ts'
import { runInside } from '../cli/cli-harness.ts'
import { makeRoot, runAsOwner, snapshot } from './installation-fixture.ts'

const GROUP = 'ag-1'
const { defaults, runs } = compileConfig(
  { groups: { any: { agent: { command: ['any'] } } } },
  { env: {}, baseDir: '/', source: 'test' },
)
const POLICY = { ...defaults, runs }
const ago = (ms: number) => new Date(Date.now() - ms).toISOString()

// biome-ignore lint/suspicious/noExplicitAny: what a command printed
async function inspect(root: string): Promise<any> {
  const { code, stdout, stderr } = await runInside(root, ['inspect', root, '--json'])
  return code === 0 ? JSON.parse(stdout) : JSON.parse(stderr).error
}

describe('sessiond inspect', () => {
  it('shows sessions, what is due, stuck and claimed, heartbeats and series, and changes nothing (C8)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-busy', containerStatus: 'running' },
      { group: GROUP, id: 'sess-idle' },
      { group: GROUP, id: 'sess-gone' },
    ]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-busy', {
      messages: [{ id: 'm1' }, { id: 'm2' }],
      claims: [{ messageId: 'm1', changedAt: ago(300_000) }],
      replies: ['r1', 'r2'],
      delivered: ['r2'],
      tool: { name: 'WebFetch', timeoutMs: null, startedAt: ago(290_000) },
    })
    writeAged(place.root, `${v2Session(GROUP, 'sess-busy')}/.heartbeat`, 400_000 / 86_400_000)
    makeV2Mailbox(place.root, GROUP, 'sess-idle', {
      messages: [
        {
          id: 't1',
          processAfter: new Date(Date.now() + 3_600_000).toISOString(),
          recurrence: '0 9 * * *',
          seriesId: 't0',
        },
        { id: 't0', status: 'completed', recurrence: null, seriesId: 't0' },
      ],
    })
    makeV2Mailbox(place.root, GROUP, 'sess-stray')
    const before = snapshot(place.root)
    const { sessions, orphans } = await inspect(place.root)
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(snapshot(place.root)).toEqual(before)
    const [busy, idle, gone] = sessions
    expect(busy).toMatchObject({
      id: `${GROUP}/sess-busy`,
      container: 'running',
      files: {
        seen: 'read',
        undelivered: 1,
        tool: { name: 'WebFetch' },
        messages: [
          { id: 'm1', state: 'claimed', stuck: 'silent', prospect: 'handed-out-again' },
          { id: 'm2', state: 'due' },
        ],
      },
      next: { action: 'stop', because: 'claim-silent', evidence: { toleranceMs: 60_000, messageId: 'm1' } },
    })
    expect(Math.round(busy.files.heartbeatAgeMs / 100_000)).toBe(4)
    expect(idle.files.series).toMatchObject([{ id: 't0', recurrence: '0 9 * * *', state: 'waiting' }])
    expect(idle.next).toMatchObject({ action: 'leave', because: 'nothing-due' })
    expect(gone).toMatchObject({ files: { seen: 'missing' }, next: null })
    expect(orphans).toEqual([`${GROUP}/sess-stray`])
    for (const words of ['sess-busy', 'claim-silent', 'WebFetch', '0 9 * * *', 'sess-stray', 'nothing was changed']) {
      expect(stdout).toContain(words)
    }
  })

  it('sees what is due behind any number of messages that wake nobody or wait', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-context' },
      { group: GROUP, id: 'sess-waiting' },
    ]).close()
    const chat = { id: 'chat', processAfter: ago(1_000) }
    const many = (message: object) => Array.from({ length: 1_100 }, (_, index) => ({ id: `m${index}`, ...message }))
    const later = { processAfter: new Date(Date.now() + 3_600_000).toISOString() }
    makeV2Mailbox(place.root, GROUP, 'sess-context', { messages: [...many({ trigger: 0 }), chat] })
    makeV2Mailbox(place.root, GROUP, 'sess-waiting', { messages: [...many(later), chat] })
    const { sessions } = await inspect(place.root)
    expect(sessions).toMatchObject([
      { files: { isPartial: true, untold: { waking: 0, context: 101 } }, next: { action: 'start', because: 'due' } },
      { files: { isPartial: true, untold: { waking: 101, context: 0 } }, next: { action: 'start', because: 'due' } },
    ])
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(stdout).toMatch(/sess-context +active +stopped +1 +0 +0 /)
    expect(stdout).toMatch(/sess-waiting +active +stopped +1\+ +0 +0\+ /)
  })

  it('says of what it did not look at that it is more, and decides nothing from the rest', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    const ids = Array.from({ length: 1_100 }, (_, index) => `m${index}`)
    makeV2Mailbox(place.root, GROUP, 'sess-1', {
      messages: ids.map((id) => ({ id })),
      claims: ids.map((messageId) => ({ messageId, changedAt: ago(0), status: 'completed' })),
    })
    const { sessions } = await inspect(place.root)
    expect(sessions).toMatchObject([{ files: { isPartial: true, untold: { waking: 100 } }, next: null }])
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(stdout).toMatch(/ 0\+ +0 +0\+ .* \?\n/)
    expect(stdout).toContain(`${GROUP}/sess-1: unknown. It has more messages than are looked at, none of these due.`)
  })

  it('calls a chat stuck that a container which beats has not taken for long', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', containerStatus: 'running' }]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1', {
      messages: [
        { id: 'chat', timestamp: ago(10_800_000) },
        { id: 'later', timestamp: ago(10_800_000), onWake: 1 },
        { id: 'done', status: 'completed', recurrence: '0 9 * * *' },
      ],
    })
    writeAged(place.root, `${v2Session(GROUP, 'sess-1')}/.heartbeat`, 5_000 / 86_400_000)
    const { sessions } = await inspect(place.root)
    expect(sessions[0].files.messages).toMatchObject([
      { id: 'chat', stuck: 'unheeded' },
      { id: 'later', state: 'on-wake', stuck: null },
    ])
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(stdout).toMatch(/chat +3 h ago +due, and its container takes no notice/)
    expect(stdout).toMatch(/done +0 9 \* \* \* +next not made +-/)
    expect(stdout).not.toContain('it beat')
  })

  it('tells of what would be stopped without a number it does not have', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', containerStatus: 'running' }]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1')
    writeAged(place.root, `${v2Session(GROUP, 'sess-1')}/.heartbeat`, 1)
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(stdout).toContain(`Next: the run of ${GROUP}/sess-1 is asked to end: it gave no heartbeat at all for`)
  })

  it.each<[string, (file: string) => void]>([
    ['a pipe', (file) => swap(file, () => execFileSync('mkfifo', [file]))],
    ['a link', (file) => swap(file, () => symlinkSync('/etc/passwd', file))],
    ['no database', (file) => writeFileSync(file, 'x'.repeat(4_096))],
    ['an endless view', (file) => swap(file, () => endless(file))],
  ])('calls a session unknown whose outbox is %s, and shows the others (G4, G5)', async (_, spoil) => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-evil', containerStatus: 'running' },
      { group: GROUP, id: 'sess-fine' },
    ]).close()
    for (const id of ['sess-evil', 'sess-fine']) makeV2Mailbox(place.root, GROUP, id, { messages: [{ id: 'm1' }] })
    spoil(join(place.root, v2Session(GROUP, 'sess-evil'), 'outbound.db'))
    const before = snapshot(place.root)
    const { sessions } = await inspect(place.root)
    expect(sessions).toMatchObject([
      { files: { seen: 'unreadable' }, next: null },
      { files: { seen: 'read' }, next: { action: 'start', because: 'due' } },
    ])
    expect(sessions[0].files.because).toContain('outbound.db')
    expect(snapshot(place.root)).toEqual(before)
  })

  it.each<[string, string, Record<string, string>]>([
    ['inbound.db', 'messages_in', { id: 'm1', status: 'pending' }],
    ['outbound.db', 'processing_ack', { message_id: 'other', status: 'completed' }],
    ['outbound.db', 'session_state', { key: 'theme', value: 'x' }],
  ])('kills the reading of a session that never ends, in %s by %s, and goes on (G5)', async (name, table, row) => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-evil' },
      { group: GROUP, id: 'sess-fine' },
    ]).close()
    for (const id of ['sess-evil', 'sess-fine']) makeV2Mailbox(place.root, GROUP, id, { messages: [{ id: 'm1' }] })
    const file = join(place.root, v2Session(GROUP, 'sess-evil'), name)
    unlinkSync(file)
    writeEndlessTree(file, table, row)
    await using reader = await openInstallation(place.root, 'nanoclaw-v2', realWorld, { sessionMs: 2_000 })
    const { sessions } = await inspectInstallation(reader, POLICY, () => Date.now())
    expect(sessions).toMatchObject([
      { files: { seen: 'unreadable', because: expect.stringContaining('no answer in 2000 ms') }, next: null },
      { files: { seen: 'read', messages: [{ id: 'm1', state: 'due' }] } },
    ])
  })

  it('shows what a killed container left half-done as it was before, and leaves it to its host (C3)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1', containerStatus: 'running' }]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1', {
      messages: [{ id: 'm1' }],
      claims: [{ messageId: 'm1', changedAt: ago(1_000) }],
    })
    await leaveHotJournal(join(place.root, v2Session(GROUP, 'sess-1'), 'outbound.db'))
    const before = snapshot(place.root)
    const { sessions } = await inspect(place.root)
    expect(sessions[0].files.messages).toMatchObject([{ id: 'm1', state: 'claimed' }])
    expect(snapshot(place.root)).toEqual(before)
  })

  it('tolerates databases and columns that are missing (C11)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-new' },
      { group: GROUP, id: 'sess-old' },
    ]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-new', { messages: [{ id: 'm1' }] })
    unlinkSync(join(place.root, v2Session(GROUP, 'sess-new'), 'outbound.db'))
    makeV2Mailbox(place.root, GROUP, 'sess-old', {
      messages: [{ id: 'm1' }],
      claims: [{ messageId: 'm1', changedAt: ago(0) }],
    })
    using inbound = new DatabaseSync(join(place.root, v2Session(GROUP, 'sess-old'), 'inbound.db'))
    for (const column of ['trigger', 'series_id', 'recurrence', 'process_after', 'tries']) {
      inbound.exec(`ALTER TABLE messages_in DROP COLUMN ${column}`)
    }
    inbound.exec('DROP TABLE delivered')
    const { sessions } = await inspect(place.root)
    expect(sessions).toMatchObject([
      { files: { seen: 'read', messages: [{ state: 'due' }] }, next: { action: 'start' } },
      { files: { seen: 'read', messages: [{ state: 'claimed', tries: 0 }] } },
    ])
  })

  it('looks for no session outside its folder, whatever its name on record (G1)', async () => {
    await using place = await makeRoot()
    using db = makeV2(place.root, [{ group: GROUP, id: 'sess-1' }])
    makeV2Mailbox(place.root, GROUP, 'sess-1')
    addV2Session(db, { group: GROUP, id: '../ag-1/sess-1' })
    addV2Session(db, { group: '..', id: 'v2-sessions' })
    const { sessions } = await inspect(place.root)
    expect(sessions.map(({ files }: { files: { seen: string } }) => files.seen)).toEqual([
      'read',
      'unreadable',
      'unreadable',
    ])
  })

  it('follows no link that stands for a session, and believes no heartbeat that is one (G3, G4)', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [
      { group: GROUP, id: 'sess-1' },
      { group: GROUP, id: 'sess-2' },
    ]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1')
    symlinkSync('sess-1', join(place.root, v2Session(GROUP, 'sess-2')))
    symlinkSync('/etc/passwd', join(place.root, v2Session(GROUP, 'sess-1'), '.heartbeat'))
    const { sessions } = await inspect(place.root)
    expect(sessions).toMatchObject([{ files: { heartbeatAgeMs: null } }, { files: { seen: 'unreadable' } }])
  })

  it('says that there is no installation where there is none, and makes none (C8)', async () => {
    await using place = await makeRoot()
    const before = snapshot(place.root)
    expect((await inspect(place.root)).code).toBe('INSTALLATION_UNREADABLE')
    expect(snapshot(place.root)).toEqual(before)
    const file = join(place.root, 'file')
    writeFileSync(file, '')
    expect(await inspect(file)).toMatchObject({ code: 'INSTALLATION_UNREADABLE', message: `${file} is no folder.` })
  })

  it('shows all it can where a folder of a group cannot be listed, and says that it does not know what is there', async () => {
    await using place = await makeRoot()
    makeV2(place.root, [{ group: GROUP, id: 'sess-1' }]).close()
    makeV2Mailbox(place.root, GROUP, 'sess-1', { messages: [{ id: 'm1' }] })
    makeV2Mailbox(place.root, 'ag-2', 'sess-stray')
    const closed = join(place.root, 'data/v2-sessions/ag-1')
    chmodSync(closed, 0o300)
    const inspection = await runAsOwner(place.root, ['inspect', place.root, '--json'])
    expect(JSON.parse(inspection.stdout)).toMatchObject({
      sessions: [{ files: { seen: 'read' }, next: { action: 'start' } }],
      orphans: ['ag-2/sess-stray'],
      unreadableFolders: [closed],
    })
    const { code, stdout } = await runAsOwner(place.root, ['inspect', '.'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Session folders in these are not known, for they cannot be read: ${closed}.`)
  })

  it('shows names of a session so that they cannot drive the terminal', async () => {
    await using place = await makeRoot()
    const evil = 'sess-\u001b[2J\u202e'
    makeV2(place.root, [{ group: GROUP, id: evil }]).close()
    makeV2Mailbox(place.root, GROUP, evil, { messages: [{ id: 'm\u001b[31m', processAfter: 'never' }] })
    setAge(join(place.root, v2Session(GROUP, evil)), 1)
    const { stdout } = await runInside(place.root, ['inspect', '.'])
    expect(stdout).toContain('sess-\\e[2J\\u202e')
    for (const char of ['\u001b', '\u202e']) expect(stdout).not.toContain(char)
  })
})

function swap(file: string, put: () => void): void {
  unlinkSync(file)
  put()
}

function endless(file: string): void {
  using db = new DatabaseSync(file)
  db.exec(`CREATE VIEW processing_ack AS WITH RECURSIVE n(message_id, status) AS (SELECT 'm1', 'processing' UNION ALL
    SELECT message_id, status FROM n) SELECT message_id, status FROM n`)
}
