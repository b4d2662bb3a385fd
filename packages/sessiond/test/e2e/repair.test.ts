import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeWithEngine, ensureTestImages, TEST_IMAGE } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GroupOptions } from '../../src/config/options.ts'
import type { Repair } from '../../src/repair/repair-misfits.ts'
import type { Check } from '../../src/runtime/runtime.ts'
import { prepareDataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { dockerResources } from '../runtime/docker-resources.ts'
import { cliOf } from './clients.ts'
import { cleanUp, makeDataDir, type RuntimeName, shellGroup, startHost, type TestHost } from './harness.ts'

let test: TestHost
let dataDir: string

afterEach(cleanUp)

/** A stopped host one of whose sessions has worked and one that never ran. */
async function usedDataDir(): Promise<void> {
  test = await startHost({ shell: shellGroup('process') })
  dataDir = test.dataDir
  await test.host.send({ group: 'shell', text: 'echo kept > note; echo done' })
  await test.untilType('message:completed')
  await test.host.send({ group: 'shell', session: 'later', text: 'true', after: '1h' })
  await test.host.stop()
}

interface Examined {
  readonly code: number
  readonly repairs?: Repair[]
  readonly error?: { readonly code: string; readonly message: string }
  readonly text: string
  /** Details of the checks of that name that are not ok. */
  problems(name: string): string[]
}

async function doctor(
  args: readonly string[] = [],
  groups: Readonly<Record<string, GroupOptions>> = { shell: shellGroup('process') },
): Promise<Examined> {
  const cli = await cliOf({ dataDir }, groups)
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...args], { env: { PATH: process.env.PATH ?? '' } })
  const { checks = [], repairs } = (stdout === '' ? {} : JSON.parse(stdout)) as { checks?: Check[]; repairs?: Repair[] }
  const { error } = (stderr === '' ? {} : JSON.parse(stderr)) as Pick<Examined, 'error'>
  return {
    code,
    ...(repairs === undefined ? {} : { repairs }),
    ...(error === undefined ? {} : { error }),
    text: stdout,
    problems: (name) => checks.filter((check) => check.name === name && !check.ok).map(({ detail }) => detail),
  }
}

function pathOf(...names: readonly string[]): string {
  return join(dataDir, 'sessions', ...names)
}

/** Every path below `sessions/` and `trash/`, links as such and not followed. */
function tree(): string[] {
  return ['sessions', 'trash'].flatMap((name) => walk(join(dataDir, name))).sort()
}

function walk(path: string): string[] {
  const seen = lstatSync(path, { throwIfNoEntry: false })
  if (seen === undefined) return []
  const name = path.slice(dataDir.length + 1)
  if (!seen.isDirectory()) return [seen.isSymbolicLink() ? `${name} -> ${readlinkSync(path)}` : name]
  return [`${name}/`, ...readdirSync(path).flatMap((each) => walk(join(path, each)))]
}

/** The one folder of the trash that repairs have filled. */
function trash(): string {
  const [stamp, ...others] = readdirSync(join(dataDir, 'trash'))
  expect(others).toEqual([])
  expect(stamp).toMatch(/^\d{8}T\d{6}Z-repair$/)
  return join(dataDir, 'trash', stamp ?? '', 'sessions')
}

/** What a hostile run may have left in a session's directory: nothing of it is to be walked into. */
async function leaveHostileSession(...names: readonly string[]): Promise<{ outside: string }> {
  const outside = join(await makeDataDir(), 'precious')
  await mkdir(outside)
  await writeFile(join(outside, 'file'), 'precious')
  const work = pathOf(...names, 'work')
  await mkdir(work, { recursive: true })
  await symlink(outside, join(work, 'out'))
  await symlink('.', join(work, 'loop'))
  execFileSync('mkfifo', [join(work, 'pipe')])
  await writeFile(join(work, '\u001b[31m\n'), '')
  await mkdir(join(work, 'closed'))
  await chmod(join(work, 'closed'), 0)
  return { outside }
}

describe('doctor on session directories', () => {
  beforeEach(usedDataDir)

  it('finds nothing wrong with a house in order: a session that never ran has no directory', async () => {
    const { problems, code } = await doctor()
    expect({ code, found: problems('session directories') }).toEqual({ code: 0, found: [] })
    expect(existsSync(pathOf('shell', 'later'))).toBe(false)
  })

  it('(C8) names directories without a row and rows without a directory, and changes nothing', async () => {
    await leaveHostileSession('shell', 'unknown')
    await leaveHostileSession('left-group', 'main')
    await mkdir(pathOf('shell', '..odd name'))
    await writeFile(pathOf('shell', 'file'), '')
    await symlink('/', pathOf('linked-group'))
    await rm(pathOf('shell', 'main'), { recursive: true })
    const before = tree()
    const { code, problems } = await doctor()
    expect(code).toBe(5)
    expect(problems('session directories')).toEqual([
      'left-group/main, shell/..odd name, shell/unknown: no such session is on record',
      'linked-group, shell/file: no directory, where only directories of sessions belong',
      'shell/main: its directory is gone, and its workspace with it',
    ])
    expect(tree()).toEqual(before)
    expect(existsSync(join(dataDir, 'trash'))).toBe(false)
  })

  it('moves what nobody knows into the trash as it is, without walking into it or following a link', async () => {
    const { outside } = await leaveHostileSession('shell', 'unknown')
    await leaveHostileSession('left-group', 'main')
    await symlink(outside, pathOf('shell', 'linked'))
    await symlink(outside, pathOf('linked-group'))
    const inode = statSync(pathOf('shell', 'unknown', 'work', 'closed')).ino
    const { code, repairs } = await doctor(['--repair'])
    expect(code).toBe(0)
    expect(repairs?.map(({ done }) => done)).toEqual([true, true, true, true])
    expect(readdirSync(trash()).sort()).toEqual(['left-group', 'linked-group', 'shell'])
    expect(statSync(join(trash(), 'shell', 'unknown', 'work', 'closed')).ino).toBe(inode)
    expect(readlinkSync(join(trash(), 'shell', 'linked'))).toBe(outside)
    expect(readlinkSync(join(trash(), 'linked-group'))).toBe(outside)
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('precious')
    // The group that has no session left is gone with it; the session that is known is as it was.
    expect(readdirSync(pathOf())).toEqual(['shell'])
    expect(readdirSync(pathOf('shell'))).toEqual(['main'])
    expect(await readFile(pathOf('shell', 'main', 'work', 'note'), 'utf8')).toBe('kept\n')
    expect(statSync(dirname(dirname(trash()))).mode & 0o777).toBe(0o700)
    expect((await doctor(['--repair'])).repairs).toEqual([])
  })

  it('(C14) makes a missing directory anew without a database, and the session works in it', async () => {
    await rm(pathOf('shell', 'main'), { recursive: true })
    const { code, repairs } = await doctor(['--repair'])
    expect({ code, done: repairs?.map(({ done }) => done) }).toEqual({ code: 0, done: [true] })
    expect(walk(pathOf('shell')).map((path) => path.slice('sessions/shell/'.length))).toEqual([
      '',
      'main/',
      'main/in/',
      'main/out/',
      'main/runs/',
      'main/work/',
    ])
    await test.restart()
    await test.host.send({ group: 'shell', text: 'test ! -e note && echo anew' })
    await test.untilType('message:completed', 2)
    expect(test.replies()).toEqual(['done', 'anew'])
  })

  it('moves away what stands in the place of a session that is known, and makes its directory anew', async () => {
    await rm(pathOf('shell', 'main'), { recursive: true })
    await writeFile(pathOf('shell', 'main'), 'no directory')
    const { code, repairs } = await doctor(['--repair'])
    expect({ code, done: repairs?.map(({ done }) => done) }).toEqual({ code: 0, done: [true, true] })
    expect(await readFile(join(trash(), 'shell', 'main'), 'utf8')).toBe('no directory')
    expect(lstatSync(pathOf('shell', 'main')).isDirectory()).toBe(true)
  })

  it.each([
    ['session', ['shell', 'main']],
    ['group', ['shell']],
  ])('leaves a link in the place of a known %s alone, whose files lie behind it, and says so', async (_, names) => {
    const elsewhere = join(await makeDataDir(), 'moved')
    await rename(pathOf(...names), elsewhere)
    await symlink(elsewhere, pathOf(...names))
    const before = tree()
    expect((await doctor()).problems('session directories')).toEqual([
      `${names.join('/')}: a link, which is not followed, in the place of a directory`,
    ])
    const { code, repairs } = await doctor(['--repair'])
    expect({ code, done: repairs?.map(({ done }) => done) }).toEqual({ code: 5, done: [false] })
    expect(repairs?.[0]?.what).toContain('mount it there')
    expect(tree()).toEqual(before)
  })

  it('refuses to repair beside a running host, naming it, and touches nothing', async () => {
    await test.restart()
    await leaveHostileSession('shell', 'unknown')
    const before = tree()
    const { code, error } = await doctor(['--repair'])
    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'DATA_DIR_LOCKED' } })
    expect(error?.message).toContain(`process ${process.pid}`)
    expect(tree()).toEqual(before)
    // To look is allowed.
    expect((await doctor()).problems('session directories')).toHaveLength(1)
  })

  it.each([
    ['missing', (path: string) => rm(path)],
    ['empty', (path: string) => truncate(path)],
  ])('(C8, C14) refuses to repair when the store is %s, and leaves what there is of it alone', async (_, lose) => {
    const path = join(dataDir, 'store.db')
    // As a host that was killed leaves it.
    const store = await openStore({ dataDir, world: realWorld })
    await store.recordDisk({ isLow: true, detail: {} }, 1)
    const log = await readFile(`${path}-wal`)
    expect(log.length).toBeGreaterThan(0)
    await store.close()
    await writeFile(`${path}-wal`, log)
    await lose(path)
    const before = tree()
    const stood = existsSync(path)
    expect((await doctor()).problems('store')).toEqual([
      `${dataDir} has sessions, but its store.db is missing or empty.`,
    ])
    const { code, error } = await doctor(['--repair'])
    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'STORE_BROKEN' } })
    expect(tree()).toEqual(before)
    expect(existsSync(path) ? statSync(path).size : null).toBe(stood ? 0 : null)
    expect((await readFile(`${path}-wal`)).equals(log)).toBe(true)
  })

  it('refuses to repair by a damaged store', async () => {
    const path = join(dataDir, 'store.db')
    const bytes = await readFile(path)
    await writeFile(path, bytes.fill(0x5a, 4096 * 3, 4096 * 30))
    await leaveHostileSession('shell', 'unknown')
    const before = tree()
    expect(await doctor(['--repair'])).toMatchObject({ code: 1, error: { code: 'STORE_BROKEN' } })
    expect(tree()).toEqual(before)
  })

  it('refuses to take all for unknown by a store that knows nobody', async () => {
    const kept = dataDir
    dataDir = await makeDataDir()
    await prepareDataDir(dataDir)
    await (await openStore({ dataDir, world: realWorld })).close()
    await rename(join(kept, 'sessions'), join(dataDir, 'sessions'))
    const before = tree()
    expect(await doctor(['--repair'])).toMatchObject({ code: 1, error: { code: 'REFERENCES_IMPLAUSIBLE' } })
    expect(tree()).toEqual(before)
    expect((await doctor()).problems('session directories')).toEqual([
      'There are directories of sessions (1), but no session is on record.',
    ])
  })

  it('moves nothing through a trash that is a link, and says so', async () => {
    const outside = await makeDataDir()
    await symlink(outside, join(dataDir, 'trash'))
    await leaveHostileSession('shell', 'unknown')
    const { code, repairs } = await doctor(['--repair'])
    expect({ code, repairs }).toEqual({
      code: 5,
      repairs: [{ done: false, what: `${join(dataDir, 'trash')} is not a real directory.` }],
    })
    expect(readdirSync(outside)).toEqual([])
    expect(existsSync(pathOf('shell', 'unknown'))).toBe(true)
  })

  it('tells of mailboxes that were set aside, as a matter of course', async () => {
    await writeFile(pathOf('shell', 'main', 'runs', '1.outbound.db'), 'torn')
    const { code, text } = await doctor()
    expect(code).toBe(0)
    expect(text).toContain('unreadable ones kept in runs/ of their sessions: 1 (1KiB)')
  })

  it('ends a registered run that nobody knows, and forgets the file of one whose process is gone', async () => {
    const entry = {
      installId: await installOf(dataDir),
      name: 'run-of-before',
      sessionId: 'shell/gone',
      epoch: 3,
      pid: 99_999_999,
      startId: '1',
      logPath: join(dataDir, 'gone.log'),
      logBytes: 1_000,
      exit: null,
    }
    await mkdir(join(dataDir, 'process-runs'), { recursive: true })
    await writeFile(join(dataDir, 'process-runs', 'run-of-before.json'), JSON.stringify(entry))
    expect((await doctor()).problems('leftovers of process')).toEqual(['run-of-before: no live run knows of it'])
    const { code, repairs } = await doctor(['--repair'])
    expect({ code, repairs }).toEqual({
      code: 0,
      repairs: [{ done: true, what: 'process: run run-of-before, which no live run knows, was removed' }],
    })
    expect(readdirSync(join(dataDir, 'process-runs'))).toEqual([])
  })
})

async function installOf(dir: string): Promise<string> {
  const store = await openStore({ dataDir: dir, world: realWorld })
  await store.close()
  return store.installId
}

/** What a person has who copies everything while the host runs: the store as the manual says, the rest as it comes. */
async function copyOf(original: string): Promise<string> {
  const copy = join(await makeDataDir(), 'copy')
  const isOfStore = (path: string) => /\/store\.db[^/]*$/.test(path)
  await cp(original, copy, { recursive: true, filter: (path) => !isOfStore(path) })
  const db = new DatabaseSync(join(original, 'store.db'))
  db.exec(`VACUUM INTO '${join(copy, 'store.db')}'`)
  db.close()
  return copy
}

function exerciseCopy(runtime: RuntimeName): void {
  it('(D5) is refused beside its original, harms no run of it, and does the work of its own once it has an id', async () => {
    const groups = { shell: shellGroup(runtime) }
    const original = await startHost(groups)
    const waiting = 'echo started; while ! test -e go; do sleep 0.1; done; echo worked'
    await original.host.send({ group: 'shell', id: 'm', text: waiting })
    await original.untilType('message:claimed')
    dataDir = await copyOf(original.dataDir)

    await expect(startHost(groups, { dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_COPIED' })
    expect(await doctor(['--repair'], groups)).toMatchObject({ code: 1, error: { code: 'DATA_DIR_COPIED' } })
    const looked = await doctor([], groups)
    expect(looked.code).toBe(5)
    expect(looked.problems('store')).toEqual([
      `${dataDir} comes from ${original.dataDir}, where its original still is.`,
    ])
    expect(looked.problems(`leftovers of ${runtime}`)).toEqual([])

    const { code, repairs } = await doctor(['--new-install-id'], groups)
    expect({ code, done: repairs?.map(({ done }) => done) }).toEqual({ code: 0, done: [true] })
    expect(repairs?.[0]?.what).toMatch(/its original; runs that are live there are left to it: 1$/)
    const copy = await startHost(groups, { dataDir })
    await copy.until('its own run', ({ type, epoch }) => type === 'message:claimed' && epoch === 2)
    for (const host of [copy, original]) {
      await mkdir(join(host.dataDir, 'sessions/shell/main/work/go'))
      await host.untilType('message:completed')
      expect((await host.host.showMessage('m')).message).toMatchObject({ status: 'completed', tries: 0 })
    }
    expect(original.events.filter(({ type }) => type === 'run:intended')).toHaveLength(1)
  })
}

describe('a copy of a data directory, with processes', () => {
  exerciseCopy('process')
})

describeWithEngine('a copy of a data directory, with containers', () => {
  beforeAll(ensureTestImages, 120_000)
  exerciseCopy('docker')
})

describeWithEngine('doctor on leftover containers', () => {
  beforeAll(ensureTestImages, 120_000)

  it('(D4, D5) names those of this install while no host runs, and removes them when asked to', async () => {
    await usedDataDir()
    const installId = await installOf(dataDir)
    const create = (install: string) => {
      const args = ['create', '--network', 'none', '--label', `sessiond.install=${install}`, TEST_IMAGE.busybox, 'true']
      return execFileSync('docker', args, { encoding: 'utf8' }).trim()
    }
    const [ours, theirs] = [create(installId), create(`${installId}0`)]
    const groups = { shell: shellGroup('docker') }
    try {
      expect((await doctor([], groups)).problems('leftovers of docker')).toEqual([`${ours}: no live run knows of it`])
      const { repairs } = await doctor(['--repair'], groups)
      expect(repairs).toEqual([{ done: true, what: `docker: run ${ours}, which no live run knows, was removed` }])
      const left = execFileSync('docker', ['ps', '--all', '--quiet', '--no-trunc'], { encoding: 'utf8' })
      expect([ours, theirs].map((id) => left.includes(id))).toEqual([false, true])
    } finally {
      for (const id of [ours, theirs]) execFileSync('docker', ['rm', '--force', id], { stdio: 'ignore' })
    }
  })

  it('(D4, D5) names volumes and networks that nothing uses, or only leftovers do, and removes exactly those', async () => {
    await usedDataDir()
    const resources = dockerResources()
    const labels = { 'sessiond.install': await installOf(dataDir) }
    const groups = { shell: shellGroup('docker') }
    const found = async () => (await doctor([], groups)).problems('leftovers of docker')
    try {
      const [volume, network] = [await resources.make('volume', labels), await resources.make('network', labels)]
      const [usedVolume, usedNetwork] = [
        await resources.make('volume', labels),
        await resources.make('network', labels),
      ]
      await resources.use(usedVolume, usedNetwork)
      const [heldVolume, heldNetwork] = [
        await resources.make('volume', labels),
        await resources.make('network', labels),
      ]
      const { id: holder } = await resources.use(heldVolume, heldNetwork, labels)
      const volumes = [volume, heldVolume].sort().map((name) => `volume ${name}`)
      const networks = [network, heldNetwork].map((name) => `network ${name}`)
      const [runs, unused = ''] = await found()
      expect(runs).toBe(`${holder}: no live run knows of it`)
      expect(unused.split(/, |: /).sort()).toEqual([...networks, 'nothing uses it', ...volumes].sort())
      const { code, repairs } = await doctor(['--repair'], groups)
      expect({ code, done: repairs?.map(({ done }) => done) }).toEqual({
        code: 0,
        done: [true, true, true, true, true],
      })
      expect(await found()).toEqual([])
      expect(await resources.exists('volume', usedVolume)).toBe(true)
      expect(await resources.exists('network', usedNetwork)).toBe(true)
    } finally {
      await resources.removeAll()
    }
  })
})
