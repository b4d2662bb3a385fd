import { existsSync } from 'node:fs'
import { link, lstat, readdir, readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import type { Pruning } from '../../src/api.ts'
import { compileConfig } from '../../src/config/compile-config.ts'
import { openHouse } from '../../src/prune/open-house.ts'
import { acquireHostLock } from '../../src/store/host-lock.ts'
import { realWorld, type World } from '../../src/world.ts'
import { makeDir, runInside, writeConfig } from '../cli/cli-harness.ts'
import { cleanUp, shellGroup, startHost, type TestHost } from './harness.ts'
import { DAY_MS, handWound, leave, say } from './prune-scene.ts'

afterEach(cleanUp)

const PRUNER = { role: 'pruner', pid: process.pid, startedAtMs: 0, version: '0.0.0', apiUrl: null } as const

async function ended(test: TestHost, id: string): Promise<Pruning> {
  return until(async () => {
    const pruning = await test.host.readPruning(id)
    expect(pruning.state).not.toBe('running')
    return pruning
  })
}

/** Every path below a folder with what tells whether it was touched. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const paths = await readdir(folder, { recursive: true })
  const seen = await Promise.all(
    paths.map(async (path) => {
      const { ino, mtimeMs, size } = await lstat(join(folder, path))
      return [path, `${ino} ${mtimeMs} ${size}`] as const
    }),
  )
  return Object.fromEntries(seen)
}

describe('a pruning of a host that runs', () => {
  it('removes what its plan says, leaves the rest, and says why in the journal', async () => {
    const test = await startHost({ shell: shellGroup('process') })
    await say(test, 'main')
    const old = await leave(test.dataDir, 'main', 'debug/old.txt', 30)
    const young = await leave(test.dataDir, 'main', 'debug/young.txt', 1)
    const latest = await leave(test.dataDir, 'main', 'debug/latest', 30)
    const plan = await test.host.planPruning({})
    expect(plan.classes.find(({ name }) => name === 'debugLogs')).toMatchObject({
      removed: { entries: 1 },
      reasons: [{ bound: 'age', limit: 3 * DAY_MS, entries: 1 }],
      stays: { 'kept-name': 1 },
    })
    expect(plan.sessions).toMatchObject([{ group: 'shell', session: 'main', entries: 1 }])
    const { removals } = await test.host.listPlannedRemovals({ planId: plan.id })
    expect(removals.map(({ root, path }) => join(root, path))).toEqual([old])
    // Due by now, but of no plan.
    const late = await leave(test.dataDir, 'main', 'debug/late.txt', 30)
    await test.host.startPruning({ planId: plan.id })
    expect(await ended(test, plan.id)).toMatchObject({ state: 'finished', progress: { looked: 1 } })
    expect([old, young, latest, late].map((file) => existsSync(file))).toEqual([false, true, true, true])
    const { detail } = await test.untilType('prune:finished')
    expect(detail).toMatchObject({ cause: 'asked', plan: plan.id, entries: 1 })
    expect(detail.classes).toMatchObject([{ name: 'debugLogs', entries: 1, reasons: [{ bound: 'age' }] }])
  })

  it('leaves a file alone that was written, swapped for a link or linked elsewhere since its plan', async () => {
    const test = await startHost({ shell: shellGroup('process') })
    await say(test, 'main')
    const written = await leave(test.dataDir, 'main', 'debug/written.txt', 30)
    const swapped = await leave(test.dataDir, 'main', 'debug/swapped.txt', 30)
    const outside = await leave(test.dataDir, 'main', '../outside/precious', 30)
    const plan = await test.host.planPruning({})
    expect(plan.removed.entries).toBe(2)
    await writeFile(written, 'still in use')
    await unlink(swapped)
    await symlink(outside, swapped)
    await link(outside, `${outside}.too`)
    await test.host.startPruning({ planId: plan.id })
    const { progress } = await ended(test, plan.id)
    expect(progress.classes.find(({ name }) => name === 'debugLogs')).toMatchObject({
      removed: { entries: 0 },
      stays: { changed: 2 },
    })
    expect(await readFile(written, 'utf8')).toBe('still in use')
    expect((await readFile(outside)).length).toBe(10_000)
  })

  it('puts aside with trash, from where it goes by itself after its time', async () => {
    const test = await startHost({ shell: shellGroup('process') })
    await say(test, 'main')
    await leave(test.dataDir, 'main', 'debug/old.txt', 30)
    const plan = await test.host.planPruning({ classes: ['debugLogs'] })
    await test.host.startPruning({ planId: plan.id, trash: true })
    const { outcome } = await ended(test, plan.id)
    const folder = join(test.dataDir, outcome?.trashFolder ?? 'none')
    const found = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('old.txt'))
    expect(found).toHaveLength(1)
    expect((await test.host.planPruning({ classes: ['trash'] })).trash.entries).toBe(0)
    await rename(folder, join(test.dataDir, 'trash', `20200101T000000Z-${plan.id}`))
    const later = await test.host.planPruning({ classes: ['trash'] })
    expect(later.trash.entries).toBe(1)
    await test.host.startPruning({ planId: later.id })
    expect((await ended(test, later.id)).progress.trash.entries).toBe(1)
    expect(await readdir(join(test.dataDir, 'trash'))).toEqual([])
  })

  it('by itself: a minute after its start and not again after a restart', async () => {
    const { world, strike } = handWound()
    const test = await startHost({ shell: shellGroup('process') }, {}, { world })
    await say(test, 'main')
    const old = await leave(test.dataDir, 'main', 'debug/old.txt', 30)
    strike()
    const { detail } = await test.untilType('prune:finished')
    expect(detail).toMatchObject({ cause: 'due', entries: 1, stoppedAt: null })
    expect(existsSync(old)).toBe(false)
    await test.restart()
    const next = await leave(test.dataDir, 'main', 'debug/next.txt', 30)
    strike()
    await say(test, 'main')
    await test.restart()
    expect(existsSync(next)).toBe(true)
    expect(test.events.filter(({ type }) => type === 'prune:finished')).toHaveLength(1)
    expect((await test.host.health()).problems).toEqual([])
  })
})

describe('sessiond prune without a host', () => {
  async function leftHouse(dir: string): Promise<{ dataDir: string; old: string }> {
    const dataDir = join(dir, 'data')
    await writeConfig(dir, { groups: { shell: { agent: { command: ['sh'] } } } })
    const test = await startHost({ shell: shellGroup('process') }, { dataDir })
    await say(test, 'main')
    await test.host.stop()
    return { dataDir, old: await leave(dataDir, 'main', 'debug/old.txt', 30) }
  }

  it('shows with --dry-run what would go, and writes nothing at all', async () => {
    await using dir = await makeDir()
    const { dataDir, old } = await leftHouse(dir.path)
    const before = await snapshot(dataDir)
    const { code, stdout, stderr } = await runInside(dir.path, ['prune', '--dry-run', '--list'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(old)
    const { 'store.db-wal': wal = '', 'store.db-shm': _, ...after } = await snapshot(dataDir)
    expect(after).toEqual(before)
    // SQLite's own: no reader of such a store can do without, and nothing is in it.
    expect(wal).toMatch(/^$| 0$/)
  })

  it('removes it, keeps a line of it for the host, and lets the host start again', async () => {
    await using dir = await makeDir()
    const { dataDir, old } = await leftHouse(dir.path)
    const { code, stdout, stderr } = await runInside(dir.path, ['prune'])
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('one entry')
    expect(existsSync(old)).toBe(false)
    const test = await startHost({ shell: shellGroup('process') }, { dataDir })
    expect((await test.untilType('prune:finished')).detail).toMatchObject({ cause: 'asked', entries: 1 })
    await say(test, 'main')
    // Before its folder goes: what still runs writes there.
    await test.host.stop()
  })

  it('is refused for a group there is not, naming the likely one, and lists nothing that it removes', async () => {
    await using dir = await makeDir()
    const { old } = await leftHouse(dir.path)
    for (const args of [['prune'], ['prune', '--dry-run']]) {
      const { code, stderr } = await runInside(dir.path, [...args, '--group', 'shel'])
      expect({ code, isTold: stderr.includes('Did you mean shell?') }).toEqual({ code: 3, isTold: true })
    }
    const { code, stderr } = await runInside(dir.path, ['prune', '--list'])
    expect({ code, isTold: stderr.includes('--list goes with a dry run') }).toEqual({ code: 2, isTold: true })
    expect(existsSync(old)).toBe(true)
  })

  it('ends at the next batch when interrupted, and says so', async () => {
    await using dir = await makeDir()
    const { old } = await leftHouse(dir.path)
    const { code, stdout } = await runInside(dir.path, ['prune'], { signal: AbortSignal.abort() })
    expect({ code, isTold: stdout.includes('Stopped before its end') }).toEqual({ code: 130, isTold: true })
    expect(existsSync(old)).toBe(true)
    expect((await runInside(dir.path, ['prune'])).code).toBe(0)
    expect(existsSync(old)).toBe(false)
  })

  it('waits for another one without a host and comes next; what only looks does not wait', async () => {
    await using dir = await makeDir()
    const { dataDir, old } = await leftHouse(dir.path)
    const other = await acquireHostLock(dataDir, PRUNER)
    expect((await runInside(dir.path, ['prune', '--dry-run'])).code).toBe(0)
    const { stderr, code } = await runInside(dir.path, ['sessions'])
    expect({ code, isTold: stderr.includes('held by a pruning') }).toEqual({ code: 4, isTold: true })
    let waited: () => void = () => {}
    const isWaiting = new Promise<void>((resolve) => {
      waited = resolve
    })
    const pruned = runInside(dir.path, ['prune'], { onErr: () => waited() })
    await isWaiting
    expect(existsSync(old)).toBe(true)
    await other.release()
    expect(await pruned).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Another pruning is under way/) })
    expect(existsSync(old)).toBe(false)
  })

  it('gives up on one that does not end, and does not wait for a host', async () => {
    await using dir = await makeDir()
    const { dataDir } = await leftHouse(dir.path)
    const config = compileConfig(
      { dataDir, groups: { shell: { agent: { command: ['sh'] } } } },
      { env: {}, baseDir: '/' },
    )
    let looks = 0
    const world: World = { ...realWorld, monotonicMs: () => 60_000 * Math.min(looks++, 1) }
    const open = () =>
      openHouse(
        { config, world, onError: () => {} },
        { takeInterrupts: () => new AbortController().signal, onWait: () => {} },
      )
    for (const [role, code] of [
      ['pruner', 'PRUNE_BUSY'],
      ['host', 'DATA_DIR_LOCKED'],
    ] as const) {
      const other = await acquireHostLock(dataDir, { ...PRUNER, role })
      await expect(open()).rejects.toMatchObject({ code })
      await other.release()
    }
  })

  it('(C8) is refused where the store cannot be read, and nothing goes', async () => {
    await using dir = await makeDir()
    const { dataDir, old } = await leftHouse(dir.path)
    await writeFile(join(dataDir, 'store.db'), 'not a database at all, but long enough to be read as one'.repeat(100))
    for (const args of [['prune'], ['prune', '--dry-run']]) {
      expect((await runInside(dir.path, args)).code).toBe(1)
    }
    expect(existsSync(old)).toBe(true)
  })
})
