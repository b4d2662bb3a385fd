import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { holdDatabase, leaveHotJournal } from '@sessiond/testkit'
import { leaveV1Files, makeV1, setAge, v1Claude, writeAged } from '@sessiond/testkit/nanoclaw'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { withPruneLock } from '../../src/prune/prune-lock.ts'
import { runInside } from '../cli/cli-harness.ts'
import { answerOf, exec, makeRoot, prune, pruneMeanwhile, runAsOwner, snapshot } from './installation-fixture.ts'

const PROJECT = `${v1Claude('main')}/projects/-workspace-group`

afterEach(() => void vi.unstubAllEnvs())

describe('prune --layout nanoclaw-v1', () => {
  it('removes what is old and nobody needs, and keeps what a session on record references (F4)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'live', 400)
    leaveV1Files(place.root, 'main', 'dead', 8)
    leaveV1Files(place.root, 'main', 'fresh', 2)
    writeAged(place.root, 'groups/main/logs/container-1.log', 8)
    writeAged(place.root, 'groups/main/logs/container-2.log', 6)
    writeAged(place.root, 'groups/main/CLAUDE.md', 400)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    const claude = v1Claude('main')
    expect(planned).toEqual(
      [
        `${PROJECT}/dead`,
        `${PROJECT}/dead.jsonl`,
        `${claude}/debug/dead.txt`,
        `${claude}/telemetry/1p_failed_events.dead.9f6f.json`,
        `${claude}/todos/dead-agent-dead.json`,
        'groups/main/logs/container-1.log',
      ].sort(),
    )
    await prune(place.root, 'nanoclaw-v1', '--apply')
    expect(planned.filter((path) => place.has(path))).toEqual([])
    for (const path of [`${PROJECT}/live.jsonl`, `${PROJECT}/live/tool-results/one.txt`, `${claude}/debug/live.txt`]) {
      expect(place.has(path), path).toBe(true)
    }
    expect(place.has('groups/main/CLAUDE.md')).toBe(true)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).result.plan.removed.entries).toBe(0)
  })

  it('is dry by default: not a byte, a name or a time of change in the tree differs afterwards (C8)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'dead', 8)
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    expect(planned.length).toBeGreaterThan(0)
    expect(snapshot(place.root)).toEqual(before)
    const { stdout } = await runInside(place.root, ['prune', '--layout', 'nanoclaw-v1', '.'])
    expect(stdout).toContain('Dry run: nothing changed.')
    expect(stdout).toContain('transcripts')
    expect(snapshot(place.root)).toEqual(before)
  })

  it('lists every entry when asked, one a line, before the sums', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    for (const id of ['live', 'dead']) leaveV1Files(place.root, 'main', id, 8)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    const { stdout } = await runInside(place.root, ['prune', '--layout', 'nanoclaw-v1', '.', '--list'])
    const [list = '', sums = ''] = stdout.split('\n\n')
    const listed = list.split('\n').map((line) => line.slice(line.indexOf(place.root) + place.root.length + 1))
    expect(listed.map((path) => path.replace(/\/$/, '')).sort()).toEqual(planned)
    expect(list).toMatch(/^4\.0 KiB {2}todos {2}older than 3 d \(8 d\) {2}\//m)
    expect(sums).toContain('CLASS')
  })

  it('matches ids whole: a fragment neither protects nor is protected', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'abc' }])
    for (const id of ['abc', 'abcd', 'ab', 'xabc', 'a.c']) writeAged(place.root, `${PROJECT}/${id}.jsonl`, 30)
    writeAged(place.root, `${v1Claude('main')}/todos/abc-agent-other.json`, 30)
    writeAged(place.root, `${v1Claude('main')}/todos/other-agent-abc.json`, 30)
    writeAged(place.root, `${v1Claude('main')}/todos/abcd-agent-abcd.json`, 30)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    expect(planned).toEqual(
      [
        ...['a.c', 'ab', 'abcd', 'xabc'].map((id) => `${PROJECT}/${id}.jsonl`),
        `${v1Claude('main')}/todos/abcd-agent-abcd.json`,
      ].sort(),
    )
  })

  it('keeps the debug log named latest, and what the agent is to remember, however old', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    writeAged(place.root, `${PROJECT}/live.jsonl`, 1)
    writeAged(place.root, `${v1Claude('main')}/debug/latest`, 99)
    writeAged(place.root, `${PROJECT}/memory/MEMORY.md`, 99)
    setAge(join(place.root, PROJECT, 'memory'), 99)
    expect((await prune(place.root, 'nanoclaw-v1')).planned).toEqual([])
  })

  it('refuses when no session is on record while there are folders of sessions, and keeps everything', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const before = snapshot(place.root)
    expect((await prune(place.root, 'nanoclaw-v1')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(snapshot(place.root)).toEqual(before)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it('refuses when the sessions on record are of another tree', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'elsewhere', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('REFERENCES_IMPLAUSIBLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it.each([
    ['is cut short', (file: string) => truncateSync(file, 700)],
    ['holds something else', (file: string) => writeFileSync(file, 'x'.repeat(8_192))],
    ['is empty', (file: string) => truncateSync(file, 0)],
    ['has no table of sessions', (file: string) => exec(file, 'DROP TABLE sessions')],
    [
      'has a view in place of its sessions',
      (file: string) => exec(file, 'DROP TABLE sessions; CREATE VIEW sessions AS SELECT 1 AS session_id WHERE 0'),
    ],
    ['has a session whose id is no text', (file: string) => exec(file, "UPDATE sessions SET session_id = x'00'")],
    ['is a link to another', (file: string) => linkAway(file)],
  ])('prunes nothing when the database %s', async (_, spoil) => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    spoil(join(place.root, 'store/messages.db'))
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('REFERENCES_UNREADABLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
    expect(place.has(`${v1Claude('main')}/telemetry/1p_failed_events.old.9f6f.json`)).toBe(true)
  })

  it('says that there is no installation where there is none, and makes none (C8)', async () => {
    await using place = await makeRoot()
    const before = snapshot(place.root)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('INSTALLATION_UNREADABLE')
    expect((await prune(join(place.root, 'nowhere'), 'nanoclaw-v1')).error).toBe('INSTALLATION_UNREADABLE')
    expect(snapshot(place.root)).toEqual(before)
  })

  it('reads beside its journal what a killed writer left half-done, and rolls nothing back in the tree (C3)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'live', 99)
    leaveV1Files(place.root, 'main', 'old', 99)
    await leaveHotJournal(join(place.root, 'store/messages.db'))
    expect(place.has('store/messages.db-journal')).toBe(true)
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    expect(planned).toContain(`${PROJECT}/old.jsonl`)
    expect(planned).not.toContain(`${PROJECT}/live.jsonl`)
    expect(snapshot(place.root)).toEqual(before)
  })

  it('sees what a live writer has committed to its log only, and leaves that log alone (C3)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'late', 99)
    leaveV1Files(place.root, 'main', 'never', 99)
    using writer = new DatabaseSync(join(place.root, 'store/messages.db'))
    writer.exec("PRAGMA journal_mode=WAL; INSERT INTO sessions VALUES ('other', 'late')")
    writer.exec("BEGIN; INSERT INTO sessions VALUES ('third', 'never')")
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    expect(planned).not.toContain(`${PROJECT}/late.jsonl`)
    expect(planned).toContain(`${PROJECT}/never.jsonl`)
    expect(snapshot(place.root)).toEqual(before)
    writer.exec('ROLLBACK')
  })

  it('sees what is committed beside a writer in the middle of its transaction, and keeps it from nothing (C3)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'live', 99)
    leaveV1Files(place.root, 'main', 'old', 99)
    const holder = await holdDatabase(join(place.root, 'store/messages.db'), 'spilled')
    const before = snapshot(place.root)
    const { planned } = await prune(place.root, 'nanoclaw-v1')
    expect(snapshot(place.root)).toEqual(before)
    await holder.kill()
    expect(planned).toContain(`${PROJECT}/old.jsonl`)
    expect(planned).not.toContain(`${PROJECT}/live.jsonl`)
  })

  it('follows no link that stands in the tree (G3)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    const outside = join(place.root, '..', 'outside')
    writeAged(outside, 'projects/-workspace-group/old.jsonl', 99)
    writeAged(outside, 'logs/old.log', 99)
    mkdirSync(join(place.root, 'data/sessions/main'), { recursive: true })
    symlinkSync(outside, join(place.root, 'data/sessions/main/.claude'))
    mkdirSync(join(place.root, 'groups'))
    symlinkSync(outside, join(place.root, 'groups/evil'))
    const before = snapshot(outside)
    expect((await prune(place.root, 'nanoclaw-v1')).planned).toEqual([])
    await prune(place.root, 'nanoclaw-v1', '--apply')
    expect(snapshot(outside)).toEqual(before)
  })

  it('refuses a tree whose own folders are links (G2)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const away = join(place.root, '..', 'away')
    renameSync(join(place.root, 'data'), away)
    symlinkSync(away, join(place.root, 'data'))
    const before = snapshot(away)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('INSTALLATION_UNREADABLE')
    expect(snapshot(away)).toEqual(before)
  })

  it('writes its lock through no link that waits for it (G2, G4)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const victim = join(place.root, '..', 'victim')
    writeFileSync(victim, '')
    mkdirSync(join(place.root, 'data/.sessiond'))
    symlinkSync(victim, join(place.root, 'data/.sessiond/prune.lock'))
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('INSTALLATION_UNREADABLE')
    rmSync(join(place.root, 'data/.sessiond'), { recursive: true })
    symlinkSync(join(place.root, '..'), join(place.root, 'data/.sessiond'))
    expect((await prune(place.root, 'nanoclaw-v1', '--apply')).error).toBe('INSTALLATION_UNREADABLE')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it.each(['..x', 'a b', '-rf', '*', '{group}', "'; DROP TABLE sessions; --", '\u202egnp', 'ü'])(
    'takes %j for the name of a group and nothing else (G9)',
    async (group) => {
      await using place = await makeRoot()
      makeV1(place.root, [{ folder: group, sessionId: 'live' }])
      leaveV1Files(place.root, group, 'live', 99)
      leaveV1Files(place.root, group, 'old', 99)
      leaveV1Files(place.root, 'bystander', 'new', 1)
      await prune(place.root, 'nanoclaw-v1', '--apply')
      const project = `${v1Claude(group)}/projects/-workspace-group`
      expect(place.has(`${project}/old.jsonl`)).toBe(false)
      expect(place.has(`${project}/live.jsonl`)).toBe(true)
      expect(place.has(`${v1Claude('bystander')}/projects/-workspace-group/new.jsonl`)).toBe(true)
    },
  )

  it('puts nothing beside what NanoClaw keeps under git: its lock and trash lie below data/', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const before = readdirSync(place.root)
    const { result } = await prune(place.root, 'nanoclaw-v1', '--apply', '--trash')
    expect(result.plan.removed.entries).toBe(5)
    expect(readdirSync(place.root)).toEqual(before)
  })

  it('removes transcripts that were put aside by rotating, by the id in their names', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    for (const id of ['live', 'old']) writeAged(place.root, `${PROJECT}/${id}.jsonl.rotated-1736900000000`, 30)
    writeAged(place.root, `${PROJECT}/new.jsonl.rotated-1736900000000`, 1)
    expect((await prune(place.root, 'nanoclaw-v1')).planned).toEqual([`${PROJECT}/old.jsonl.rotated-1736900000000`])
  })

  it('puts aside with --trash what it would remove', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const { result } = await prune(place.root, 'nanoclaw-v1', '--apply', '--trash')
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(false)
    expect(result.trashFolder.startsWith(join(place.root, 'data/.sessiond/trash/'))).toBe(true)
    expect(snapshot(result.trashFolder).some((line) => line.includes('old.jsonl'))).toBe(true)
    expect((await prune(place.root, 'nanoclaw-v1', '--apply', '--trash')).result.trashFolder).toBe(null)
    expect(snapshot(result.trashFolder).some((line) => line.includes('old.jsonl'))).toBe(true)
  })

  it('sees before each batch who has come to life since the plan (F4)', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'back', 99)
    leaveV1Files(place.root, 'main', 'old', 99)
    const { applied } = await pruneMeanwhile(place.root, 'nanoclaw-v1', () =>
      exec(join(place.root, 'store/messages.db'), "INSERT INTO sessions VALUES ('other', 'back')"),
    )
    expect(applied.classes.find(({ name }) => name === 'transcripts')?.stays).toEqual({ active: 2 })
    expect([place.has(`${PROJECT}/back.jsonl`), place.has(`${PROJECT}/old.jsonl`)]).toEqual([true, false])
  })

  it('stops when it is interrupted, and says so; the next goes on', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const args = ['prune', '--layout', 'nanoclaw-v1', '.', '--apply']
    const { code, stdout } = await runInside(place.root, args, { signal: AbortSignal.abort() })
    expect([code, stdout.includes('Stopped before its end')]).toEqual([130, true])
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
    expect((await runInside(place.root, args)).code).toBe(0)
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(false)
  })

  it('waits for another pruning of the same tree, and then finds nothing left to do', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const both = await Promise.all([1, 2].map(() => prune(place.root, 'nanoclaw-v1', '--apply')))
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const removed = both.map(({ result }) => result.plan.removed.entries)
    expect(removed.sort((a, b) => a - b)).toEqual([0, 5])
  })

  it.each([[[]], [['--json']]])(
    'says that it waits for another pruning, which an interruption ends (%j)',
    async (more) => {
      await using place = await makeRoot()
      makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
      leaveV1Files(place.root, 'main', 'old', 99)
      const own = join(place.root, 'data/.sessiond')
      mkdirSync(own, { recursive: true })
      const interruption = new AbortController()
      const { code, stdout, stderr } = await withPruneLock(own, 0, () =>
        runInside(place.root, ['prune', '--layout', 'nanoclaw-v1', '.', '--apply', ...more], {
          signal: interruption.signal,
          onErr: () => interruption.abort(),
        }),
      )
      expect([code, stderr.split('\n')]).toEqual([
        130,
        ['Another pruning is under way: waiting for its end.', 'Stopped before its end: nothing was removed.', ''],
      ])
      const result = { layout: 'nanoclaw-v1', plan: null, isDone: false }
      expect(stdout === '' ? null : JSON.parse(stdout)).toEqual(more.length === 0 ? null : result)
      expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
    },
  )

  it('removes nothing more once the sessions on record cannot be read any longer', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    const { error } = await pruneMeanwhile(place.root, 'nanoclaw-v1', () =>
      truncateSync(join(place.root, 'store/messages.db'), 700),
    )
    expect(error).toMatchObject({ code: 'REFERENCES_UNREADABLE' })
    expect(place.has(`${PROJECT}/old.jsonl`)).toBe(true)
  })

  it.each([[[]], [['--trash']]])('tells what it removed when it must stop between its batches (%j)', async (args) => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    for (let log = 0; log < 501; log++) writeAged(place.root, `${v1Claude('main')}/debug/old-${log}.txt`, 30)
    const command = ['prune', '--layout', 'nanoclaw-v1', '.', '--apply', ...args]
    const spoil = (err: string) => {
      // Of the first batch.
      if (/\d+ looked at, 500 gone/.test(err)) truncateSync(join(place.root, 'store/messages.db'), 700)
    }
    const { code, stdout, stderr } = await runInside(place.root, command, { isErrTerminal: true, onErr: spoil })
    expect([code, stdout.includes('500 of 501 entries')]).toEqual([1, true])
    expect(stdout.includes(`put aside in ${place.root}/data/.sessiond/trash/`)).toBe(args.length > 0)
    expect(stderr).toMatch(/store\/messages\.db.* What was removed until then is listed.*\[REFERENCES_UNREADABLE\]\n$/)
  })

  it.each<[string, string, string, (root: string) => void]>([
    [
      'an earlier run as root has left its own folder',
      'data/.sessiond/prune.lock',
      '--apply',
      (root) => close(root, 'data/.sessiond'),
    ],
    ['its trash cannot be written', 'data/.sessiond/trash', '--trash', (root) => close(root, 'data/.sessiond/trash')],
    ['its store may not be searched', 'store/messages.db', '--apply', (root) => close(root, 'store')],
    ['its data may not be searched', 'data/sessions', '--apply', (root) => close(root, 'data')],
  ])('names what this user may not use where %s', async (_, path, option, spoil) => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'old', 99)
    spoil(place.root)
    const command = ['prune', '--layout', 'nanoclaw-v1', place.root, '--json', '--apply', option]
    const pruned = answerOf(place.root, await runAsOwner(place.root, command))
    expect(pruned.error).toBe('INSTALLATION_UNREADABLE')
    expect(pruned.message).toContain(join(place.root, path))
  })

  it.each([[[]], [['--trash']]])(
    'says of what it may not remove that it is so, and of nothing else (%j)',
    async (more) => {
      await using place = await makeRoot()
      makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
      leaveV1Files(place.root, 'main', 'old', 99)
      for (const folder of [PROJECT, `${PROJECT}/old`, `${PROJECT}/old/tool-results`])
        chmodSync(join(place.root, folder), 0o500)
      const command = ['prune', '--layout', 'nanoclaw-v1', '.', '--apply', ...more]
      const { code, stdout } = await runAsOwner(place.root, command)
      expect(code).toBe(0)
      expect(stdout).toMatch(/transcripts +0 +0 B +2 not to be removed by this user\n/)
      expect(stdout).not.toMatch(/changed|unreadable/)
      expect(['old.jsonl', 'old/tool-results/one.txt'].map((name) => place.has(`${PROJECT}/${name}`))).toEqual([
        true,
        true,
      ])
    },
  )

  it('names the folder for temporary files where there can be none', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    vi.stubEnv('TMPDIR', '/nonexistent')
    const { error, message } = await prune(place.root, 'nanoclaw-v1')
    expect([error, message]).toEqual(['INSTALLATION_UNREADABLE', 'No copy of a database can be made in /nonexistent.'])
  })

  it('tells programs too what it removed when it must stop between its batches', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    const logs = join(v1Claude('main'), 'debug')
    for (let log = 0; log < 501; log++) writeAged(place.root, `${logs}/old-${log}.txt`, 30)
    // The first removal of the first batch.
    const watcher = watch(join(place.root, logs), () => truncateSync(join(place.root, 'store/messages.db'), 700))
    const { result, error } = await prune(place.root, 'nanoclaw-v1', '--apply')
    watcher.close()
    expect(result).toMatchObject({ isDone: false, applied: { next: 500 }, error: { code: 'REFERENCES_UNREADABLE' } })
    expect(error).toBe('REFERENCES_UNREADABLE')
  })

  it('empties after 7 days what was put aside, by the time of that and not by the age of the files', async () => {
    await using place = await makeRoot()
    makeV1(place.root, [{ folder: 'main', sessionId: 'live' }])
    leaveV1Files(place.root, 'main', 'live', 1)
    const stamp = (days: number) =>
      `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    const [old, recent] = [`data/.sessiond/trash/${stamp(8)}-p-1`, `data/.sessiond/trash/${stamp(6)}-p-2`]
    for (const folder of [old, recent, 'data/.sessiond/trash/mine']) writeAged(place.root, `${folder}/a.jsonl`, 99)
    expect((await prune(place.root, 'nanoclaw-v1')).planned).toEqual([])
    expect(place.has(old)).toBe(true)
    const { result } = await prune(place.root, 'nanoclaw-v1', '--apply')
    expect(result.trash.entries).toBe(1)
    expect([old, recent, 'data/.sessiond/trash/mine'].map((path) => place.has(path))).toEqual([false, true, true])
  })
})

/** Makes a folder that its owner may not use. */
function close(root: string, folder: string): void {
  mkdirSync(join(root, folder), { recursive: true })
  chmodSync(join(root, folder), 0)
}

function linkAway(file: string): void {
  renameSync(file, `${file}.real`)
  symlinkSync(`${file}.real`, file)
}
