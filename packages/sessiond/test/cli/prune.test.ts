import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Pruning } from '../../src/api.ts'
import { FakeHost } from '../http/fake-host.ts'
import { PRUNED, PRUNING } from '../http/fake-pruning.ts'
import { makeDir, runInside, writeConfig } from './cli-harness.ts'
import { startFakeApi } from './fake-api.ts'

/** A host whose pruning is seen in these states, one look after the other. */
class PruningHost extends FakeHost {
  readonly looks: Pruning[]

  constructor(...looks: Pruning[]) {
    super()
    this.looks = looks
  }

  override async readPruning(id: string): Promise<Pruning> {
    const last = await super.readPruning(id)
    return this.looks.shift() ?? last
  }
}

describe('sessiond prune --dry-run', () => {
  it('shows what would go by class, by session, rows and the rest, and starts nothing', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { code, stdout, stderr } = await runInside(dir.path, ['prune', '--dry-run'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      `\
CLASS      ENTRIES  BYTES    OF          WHY                    STAYS
debugLogs  2        4.0 KiB  5, 8.8 KiB  older than 3 d (10 d)  1 in use

SESSION   ENTRIES  BYTES
ops/main  2        4.0 KiB

2 entries, 4.0 KiB

ROWS      COUNT
messages  12

Closed sessions to be packed away: 1
From the trash: one entry, 10 B

Dry run: nothing changed.
`,
    )
    expect(api.host.calls).toEqual([
      { method: 'planPruning', args: [{}] },
      // Read to its end, so that it need not be kept.
      { method: 'listPlannedRemovals', args: [{ planId: 'prune-1', after: 2 }] },
    ])
  })

  it('lists every entry when asked, with names that are harmless on a terminal', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path)
    const { stdout } = await runInside(dir.path, ['prune', '--dry-run', '--list'])
    const [first, second] = stdout.split('\n')
    expect(first).toMatch(
      /^2\.0 KiB {2}debugLogs {2}older than .* {2}\/data\/sessions\/ops\/main\/work\/\.claude\/debug\/a\\e\.txt$/,
    )
    expect(second).toContain('more than 2 (3)')
    expect(stdout).not.toContain('\u001b')
  })

  it('prints the plan and every removal of every page as one JSON value', async () => {
    await using dir = await makeDir()
    const host = new FakeHost()
    const { listPlannedRemovals } = host
    host.listPlannedRemovals = (query) => listPlannedRemovals.call(host, { ...query, limit: 1 })
    await using _ = await startFakeApi(dir.path, host)
    const { stdout } = await runInside(dir.path, ['prune', '--dry-run', '--json'])
    const { plan, removals } = JSON.parse(stdout) as { plan: { id: string }; removals: { path: string }[] }
    expect(plan.id).toBe('prune-1')
    expect(removals.map(({ path }) => path.slice(-8))).toEqual(['g/a\u001b.txt', 'ug/b.txt'])
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  it('passes on what it is narrowed to', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    await runInside(dir.path, ['prune', '--dry-run', '--class', 'todos', '--class', 'trash', '--group', 'ops'])
    expect(api.host.calls[0]?.args).toEqual([{ classes: ['todos', 'trash'], group: 'ops' }])
  })
})

describe('sessiond prune', () => {
  it('carries out the plan it was told, shows how it gets on, and says what went and what stayed', async () => {
    await using dir = await makeDir()
    const rows = { ...PRUNING, progress: { ...PRUNING.progress, stage: 'rows' as const } }
    await using api = await startFakeApi(dir.path, new PruningHost(PRUNING, rows))
    const { code, stdout, stderr } = await runInside(dir.path, ['prune', '--trash'])
    expect(code).toBe(0)
    expect(stderr).toBe('files: 0 of 2, 0 gone, 0 B\n0 rows\n')
    expect(stdout).toBe(`\
CLASS      PLANNED  WENT  BYTES    STAYED
debugLogs  2        1     2.0 KiB  1 changed since
one entry, 2.0 KiB removed; 12 rows
`)
    expect(api.host.calls.map(({ method }) => method)).toEqual([
      'planPruning',
      'startPruning',
      'readPruning',
      'readPruning',
      'readPruning',
    ])
    expect(api.host.calls[1]?.args).toEqual([{ planId: 'prune-1', trash: true }])
  })

  it('writes its progress over itself on a terminal, and takes it away in the end', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path, new PruningHost(PRUNING))
    const { stderr } = await runInside(dir.path, ['prune'], { isErrTerminal: true })
    const line = '\r\u001b[Kfiles: 0 of 2, 0 gone, 0 B'
    expect(stderr).toBe(`${line}${line}\r\u001b[K`)
  })

  it('prints plan and outcome, and nothing else, for programs', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path, new PruningHost(PRUNING))
    const { stdout, stderr } = await runInside(dir.path, ['prune', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ plan: { id: 'prune-1' }, pruning: { state: 'finished' } })
    expect(stderr).toBe('')
  })

  it('says what is done and fails when something went wrong', async () => {
    await using dir = await makeDir()
    const error = { code: 'PRUNE_FAILED', message: 'It broke off.' }
    await using _ = await startFakeApi(dir.path, new PruningHost({ ...PRUNED, state: 'failed', error }))
    const { code, stdout, stderr } = await runInside(dir.path, ['prune'])
    expect(code).toBe(1)
    expect(stdout).toContain('one entry, 2.0 KiB removed')
    expect(stderr).toMatch(/^error: It broke off\. .*next pruning.* \[PRUNE_FAILED\]$/m)
  })

  it.each([
    [['prune', 'somewhere']],
    [['prune', '--apply']],
    [['prune', '--layout', 'nanoclaw-v1']],
    [['prune', '--layout', 'nanoclaw-v3', '.']],
    [['prune', '--layout', 'nanoclaw-v1', '.', '--class', 'todos']],
    [['prune', '--layout', 'nanoclaw-v1', '.', '--apply', '--dry-run']],
    [['prune', '--group', '../..']],
    [['prune', '--dry-run', '--group', 'a/b']],
    [['prune', '--list']],
    [['prune', '--list', '--json']],
    [['prune', '--layout', 'nanoclaw-v1', '.', '--list', '--apply']],
  ])('refuses %j before anything is asked', async (args) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    expect((await runInside(dir.path, args)).code).toBe(2)
    expect(api.host.calls).toEqual([])
  })

  it('says that a group is wrong, not a session', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path)
    const { stderr } = await runInside(dir.path, ['prune', '--group', 'a/../b'])
    expect(stderr).toMatch(/^error: The group "a\/\.\.\/b" is not allowed\..* \[BAD_REQUEST\]$/m)
  })

  it('(C8) makes nothing where no host has ever been, dry or not', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    for (const args of [['prune'], ['prune', '--dry-run'], ['prune', '--trash', '--json']]) {
      const { code, stderr } = await runInside(dir.path, args)
      expect({ code, isTold: stderr.includes('DATA_DIR_UNUSABLE') }).toEqual({ code: 1, isTold: true })
    }
    expect(existsSync(join(dir.path, 'data'))).toBe(false)
    await mkdir(join(dir.path, 'data', 'sessions', 'ops', 'main'), { recursive: true })
    expect((await runInside(dir.path, ['prune'])).code).toBe(1)
    expect(await readdir(join(dir.path, 'data'))).toEqual(['sessions'])
  })
})
