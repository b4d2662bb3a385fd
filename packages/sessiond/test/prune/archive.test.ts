import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PROVIDER } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LEFTOVER_PREFIX } from '../../src/model/artifact.ts'
import { PARTING_PREFIX } from '../../src/prune/archive/remove-session.ts'
import { useTinyDisk } from '../store/tiny-disk.ts'
import { type ArchiveBed, CLOSED_AT_MS, DAY_MS, DUE_MS, makeArchiveBed, textIn, writeIn } from './archive-bed.ts'

const S = 'g/old'
/** A name that is no UTF-8. */
const NO_TEXT = Buffer.from([0xff, 0x2e])
const NOTHING = { archived: 0, bytes: 0, failed: 0, isMore: false }

let bed: ArchiveBed
beforeEach(async () => {
  bed = await makeArchiveBed()
})
afterEach(() => bed[Symbol.asyncDispose]())

/** Replaces what the archiver does between packing and removing. */
const onPacked = (work: () => void | Promise<void>) => ({
  world: { now: () => DUE_MS, boundary: (name: string) => (name === 'archive:packed' ? work() : undefined) },
})

describe('a closed session whose time has come', () => {
  it('(F9) is packed into a private archive as it was, then its directory goes, and both are on record', async () => {
    await bed.close(S, 'words')
    const dir = bed.dirOf(S)
    writeIn(dir, 'out/files/deep/er/report.txt', 'x'.repeat(300_000))
    mkdirSync(join(dir, 'work/empty'))
    chmodSync(join(dir, 'work/note.txt'), 0o751)
    utimesSync(join(dir, 'work/note.txt'), 1_000, 2_000)
    const done = await bed.archive()
    expect(done).toMatchObject({ archived: 1, failed: 0, isMore: false })
    expect(done.bytes).toBeGreaterThanOrEqual(300_000)
    expect(existsSync(dir)).toBe(false)
    expect(readdirSync(join(bed.dataDir, 'sessions/g'))).toEqual([])
    expect(lstatSync(bed.archiveOf(S)).mode & 0o777).toBe(0o600)
    expect(lstatSync(join(bed.dataDir, 'archives/g')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(bed.dataDir, 'archives/g'))).toEqual(['old.tar.gz'])
    const unpacked = bed.unpack(S)
    expect(textIn(unpacked)).toBe('words')
    expect(textIn(unpacked, 'out/files/deep/er/report.txt')).toHaveLength(300_000)
    expect(readdirSync(join(unpacked, 'work'))).toEqual(['empty', 'note.txt'])
    const { mode, mtimeMs } = lstatSync(join(unpacked, 'work/note.txt'))
    expect([mode & 0o777, mtimeMs]).toEqual([0o751, 2_000_000])
    expect(await bed.store.getSession(S)).toMatchObject({ status: 'closed', archivedAtMs: DUE_MS })
    const detail = { path: 'archives/g/old.tar.gz', bytes: done.bytes, entries: 8, skipped: { count: 0, paths: [] } }
    expect(await bed.told()).toMatchObject([{ type: 'session:archived', sessionId: S, detail }])
    expect(await bed.archive()).toEqual(NOTHING)
  })

  it('has a directory that never was: it is on record as archived without one', async () => {
    await bed.close(S)
    expect(await bed.archive()).toMatchObject({ archived: 1, bytes: 0 })
    expect(existsSync(bed.archiveOf(S))).toBe(false)
    expect((await bed.told())[0]?.detail).toEqual({ path: null })
  })

  it.each([
    ['a millisecond too early', DUE_MS - 1, DAY_MS, 0],
    ['just then', DUE_MS, DAY_MS, 1],
    ['of a group that keeps them for ever', DUE_MS * 10, null, 0],
  ])('goes by the figure of its group: %s', async (_, nowMs, keptMs, archived) => {
    await bed.close(S, 'words')
    expect(await bed.archive({ nowMs }, { closedSessionsMsOf: () => keptMs })).toEqual({
      ...NOTHING,
      archived,
      bytes: expect.any(Number),
    })
    expect(existsSync(bed.dirOf(S))).toBe(archived === 0)
  })

  it('waits its turn: the one closed first goes first, so many at a time, of the group asked for', async () => {
    for (const id of ['g/b', 'g/a', 'h/c']) await bed.close(id, id)
    expect(await bed.archive({ limit: 1 })).toMatchObject({ archived: 1, isMore: true })
    expect([existsSync(bed.dirOf('g/a')), existsSync(bed.dirOf('g/b'))]).toEqual([false, true])
    expect(await bed.archive({ group: 'h' })).toMatchObject({ archived: 1, isMore: false })
    expect(existsSync(bed.dirOf('h/c'))).toBe(false)
    expect(existsSync(bed.dirOf('g/b'))).toBe(true)
    expect(await bed.archive({ mayGoOn: async () => false })).toEqual({ ...NOTHING, isMore: true })
    expect(await bed.archive({}, { hasRoom: async () => false })).toEqual({ ...NOTHING, isMore: true })
    expect(existsSync(bed.dirOf('g/b'))).toBe(true)
  })
})

describe('what stays byte for byte', () => {
  const untouched = () => {
    expect(textIn(bed.dirOf(S))).toBe('words')
    expect(existsSync(join(bed.dataDir, 'archives/g/old.tar.gz'))).toBe(false)
  }

  it('a session that is open', async () => {
    await bed.close('g/other')
    writeIn(bed.dirOf(S), 'work/note.txt', 'words')
    const [receipt] = await bed.store.accept([{ ...(await messageOf('g/other')), id: 'm', sessionId: S }], 1_000)
    expect(receipt).not.toBeInstanceOf(Error)
    await bed.archive()
    untouched()
  })

  it('(invariant 2) one whose run is not gone for certain', async () => {
    const run = await begin(S)
    await bed.store.closeSession(S, CLOSED_AT_MS)
    writeIn(bed.dirOf(S), 'work/note.txt', 'words')
    expect(await bed.archive()).toEqual(NOTHING)
    untouched()
    await end(run)
    expect(await bed.archive()).toMatchObject({ archived: 1 })
  })

  it('(invariant 9) one with a reply that is not delivered, be it that its sink refused it for good', async () => {
    const run = await begin(S)
    await reply(run)
    await bed.store.closeSession(S, CLOSED_AT_MS)
    await end(run)
    writeIn(bed.dirOf(S), 'work/note.txt', 'words')
    expect(await bed.archive()).toEqual(NOTHING)
    const [due] = await bed.store.listDueDeliveries(DUE_MS, 9)
    if (due === undefined) throw new Error('its reply is due')
    await bed.store.recordDelivery(due.delivery.id, 1, { to: 'failed', error: 'no' }, DUE_MS)
    expect(await bed.archive()).toEqual(NOTHING)
    untouched()
    await bed.store.dropDeadDelivery(due.delivery.id, DUE_MS)
    expect(await bed.archive()).toMatchObject({ archived: 1 })
  })

  it('one of which something is found to be under way between packing and removing', async () => {
    await bed.close(S, 'words')
    let asked = 0
    const store = new Proxy(bed.store, {
      get(target, key) {
        if (key === 'isSettled') return async () => asked++ === 0
        const value = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    expect(await bed.archive({}, { store })).toEqual(NOTHING)
    expect(textIn(bed.dirOf(S))).toBe('words')
    expect(await bed.archive()).toMatchObject({ archived: 1 })
  })
})

describe('a directory that is not where it must be', () => {
  const away = (path: string) => {
    renameSync(join(bed.dataDir, path), join(bed.dataDir, 'away'))
    return () => renameSync(join(bed.dataDir, 'away'), join(bed.dataDir, path))
  }
  beforeEach(async () => {
    await close('g/ran')
    await close('h/ran')
  })
  const close = async (sessionId: string) => {
    const run = await begin(sessionId)
    await bed.store.recordRunStarted(run, 2_000)
    await bed.store.closeSession(sessionId, CLOSED_AT_MS)
    await end(run)
    writeIn(bed.dirOf(sessionId), 'work/note.txt', sessionId)
  }

  it('(F9) with that of all others is no archived session: nothing is put on record until it is there', async () => {
    const putBack = away('sessions')
    await expect(bed.archive()).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE' })
    expect(await bed.told()).toEqual([])
    putBack()
    expect(await bed.archive()).toMatchObject({ archived: 2, failed: 0 })
    expect(textIn(bed.unpack('g/ran'))).toBe('g/ran')
  })

  it.each(['sessions/g', 'sessions/g/ran'])('(F9) is missed, told once, and looked for daily: %s', async (path) => {
    const putBack = away(path)
    expect(await bed.archive()).toMatchObject({ archived: 1, failed: 1 })
    expect(existsSync(bed.dirOf('h/ran'))).toBe(false)
    expect(await bed.archive({ nowMs: DUE_MS + DAY_MS - 1 })).toEqual(NOTHING)
    expect(await bed.archive({ nowMs: DUE_MS + DAY_MS })).toMatchObject({ archived: 0, failed: 1 })
    const missed = (await bed.told()).filter(({ sessionId }) => sessionId === 'g/ran')
    expect(missed).toMatchObject([{ type: 'session:archivePutOff', detail: { because: 'missing' } }])
    putBack()
    expect(await bed.archive({ nowMs: DUE_MS + 2 * DAY_MS })).toMatchObject({ archived: 1 })
    expect(textIn(bed.unpack('g/ran'))).toBe('g/ran')
  })

  it('because a person put it away is archived as soon as something lies in the place of its archive', async () => {
    away('sessions/g/ran')
    mkdirSync(join(bed.dataDir, 'archives/g'), { recursive: true })
    writeFileSync(bed.archiveOf('g/ran'), '')
    expect(await bed.archive({ group: 'g' })).toMatchObject({ archived: 1, failed: 0 })
    expect((await bed.told())[0]?.detail).toEqual({ path: 'archives/g/ran.tar.gz' })
  })
})

describe('a directory that changes after it was packed', () => {
  const changes: [string, (dir: string) => void][] = [
    ['a new file', (dir) => writeIn(dir, 'work/sub/new.txt', 'new')],
    ['a new empty folder', (dir) => mkdirSync(join(dir, 'work/new'))],
    ['a file written over, with its time and size put back', rewrite],
    ['a file gone', (dir) => unlinkSync(join(dir, 'work/sub/b'))],
    ['a file replaced by one alike', replaceAlike],
    ['a file turned into a link', (dir) => toLink(join(dir, 'work/sub/b'))],
    ['a file made executable', (dir) => chmodSync(join(dir, 'work/sub/b'), 0o755)],
  ]
  it.each(changes)('stays, and is packed anew an hour later: %s', async (_, change) => {
    await bed.close(S, 'words')
    writeIn(bed.dirOf(S), 'work/sub/b', 'bbb')
    expect(
      await bed.archive(
        {},
        onPacked(() => change(bed.dirOf(S))),
      ),
    ).toMatchObject({ archived: 0, failed: 1 })
    expect(textIn(bed.dirOf(S))).not.toBeNull()
    expect(readdirSync(join(bed.dataDir, 'sessions/g'))).toEqual(['old'])
    const before = listing(bed.dirOf(S))
    expect(await bed.archive({ nowMs: DUE_MS + 3_599_999 })).toEqual(NOTHING)
    expect(await bed.archive({ nowMs: DUE_MS + 3_600_000 })).toMatchObject({ archived: 1 })
    expect(listing(bed.unpack(S))).toEqual(before)
  })
})

describe('a hostile tree', () => {
  it('(G2, G3) is packed with its links as links, and nothing they lead to is read, removed or followed', async () => {
    await bed.close(S, 'words')
    const outside = join(bed.dataDir, 'outside')
    writeIn(outside, 'secret.txt', 'secret')
    const work = join(bed.dirOf(S), 'work')
    symlinkSync(outside, join(work, 'out'))
    symlinkSync('.', join(work, 'loop'))
    symlinkSync('/etc/shadow', join(work, 'shadow'))
    linkSync(join(outside, 'secret.txt'), join(work, 'hard'))
    linkSync(join(work, 'note.txt'), join(work, 'note-too.txt'))
    writeFileSync(join(work, 'n\nn'), 'newline')
    writeFileSync(join(work, `ü${'x'.repeat(250)}`), 'long')
    writeFileSync(join(work, '--checkpoint=1'), 'dash')
    writeFileSync(join(work, '..x'), 'dots')
    writeFileSync(Buffer.concat([Buffer.from(`${work}/`), NO_TEXT]), 'bytes')
    execFileSync('mkfifo', [join(work, 'fifo')])
    execFileSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', 's'], {
      cwd: work,
    })
    writeFileSync(join(work, 'holes'), '')
    truncateSync(join(work, 'holes'), 5_000_000)
    writeFileSync(join(work, 'locked'), 'locked')
    chmodSync(join(work, 'locked'), 0)
    let deep = work
    for (let depth = 0; depth < 100; depth += 1) deep = join(deep, 'dddddddddd')
    mkdirSync(deep, { recursive: true })
    writeFileSync(join(deep, 'bottom'), 'bottom')
    expect(await bed.archive()).toMatchObject({ archived: 1, failed: 0 })
    expect(existsSync(bed.dirOf(S))).toBe(false)
    expect(textIn(outside, 'secret.txt')).toBe('secret')
    expect((await bed.told())[0]?.detail.skipped).toEqual({ count: 2, paths: ['work/fifo', 'work/s'] })
    const to = join(bed.unpack(S), 'work')
    expect(['out', 'loop', 'shadow'].map((name) => readlinkSync(join(to, name)))).toEqual([outside, '.', '/etc/shadow'])
    expect(lstatSync(join(to, 'note-too.txt')).ino).toBe(lstatSync(join(to, 'note.txt')).ino)
    const texts = ['n\nn', `ü${'x'.repeat(250)}`, '--checkpoint=1', '..x', 'hard'].map((name) => textIn(to, name))
    expect(readFileSync(Buffer.concat([Buffer.from(`${to}/`), NO_TEXT]), 'utf8')).toBe('bytes')
    expect(texts).toEqual(['newline', 'long', 'dash', 'dots', 'secret'])
    expect(lstatSync(join(to, 'holes')).size).toBe(5_000_000)
    expect(textIn(to, join(deep.slice(work.length + 1), 'bottom'))).toBe('bottom')
  })

  it('(invariant 10) whose names would be alike in text is unpacked to what it was, and nowhere else', async () => {
    await bed.close(S, 'words')
    const work = join(bed.dirOf(S), 'work')
    const outside = join(bed.dataDir, 'outside')
    mkdirSync(outside)
    const named = (bytes: number, path = '') =>
      Buffer.concat([Buffer.from(`${work}/`), Buffer.of(bytes), Buffer.from(path)])
    writeFileSync(named(0xfe), 'bytes')
    writeFileSync(join(work, 'bytes-fe'), 'text')
    writeFileSync(join(work, '\uFFFD'), 'the sign for what has no text')
    mkdirSync(named(0xff))
    writeFileSync(named(0xff, '/planted'), 'planted')
    symlinkSync(outside, join(work, 'bytes-ff'))
    const bytes = { encoding: 'buffer' } as const
    const before = readdirSync(work, bytes).map(String)
    expect(await bed.archive()).toMatchObject({ archived: 1 })
    const to = bed.unpack(S)
    expect(readdirSync(join(to, 'work'), bytes).map(String)).toEqual(before)
    expect(readFileSync(Buffer.concat([Buffer.from(`${to}/work/`), Buffer.of(0xfe)]), 'utf8')).toBe('bytes')
    expect(textIn(to, 'work/bytes-fe')).toBe('text')
    const program = 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])'
    execFileSync('python3', ['-c', program, bed.archiveOf(S), join(bed.dataDir, 'by-python')])
    expect(textIn(join(bed.dataDir, 'by-python/old'), 'work/bytes-fe')).toBe('text')
    expect(readdirSync(outside)).toEqual([])
  })

  it('with odd times, modes and owners is unpacked with them', async () => {
    await bed.close(S, 'words')
    const work = join(bed.dirOf(S), 'work')
    const files = ['1950', '2100', 'unreadable', 'of nobody'].map((name) => join(work, name))
    for (const path of files) writeFileSync(path, '')
    utimesSync(join(work, '1950'), -631_152_000, -631_152_000)
    utimesSync(join(work, '2100'), 4_102_444_800, 4_102_444_800)
    chmodSync(join(work, 'unreadable'), 0)
    if (process.getuid?.() === 0) chownSync(join(work, 'of nobody'), 1_888_888_888, 3_000_000)
    chmodSync(bed.dirOf(S), 0o710)
    const seen = (dir: string) =>
      ['.', 'work/1950', 'work/2100', 'work/unreadable', 'work/of nobody'].map((path) => {
        const { mode, uid, gid, mtimeMs } = lstatSync(join(dir, path))
        return [path, mode, uid, gid, Math.floor(mtimeMs / 1_000)]
      })
    const before = seen(bed.dirOf(S))
    expect(await bed.archive()).toMatchObject({ archived: 1 })
    expect(seen(bed.unpack(S, '-p'))).toEqual(before)
  })

  it.each([
    ['too-big', { bytes: 1_000 }],
    ['too-many', { entries: 4 }],
    ['too-deep', { depth: 2 }],
  ])('that is %s stays for a person, is told once, and is looked at again once a day', async (because, limits) => {
    await bed.close(S, 'words')
    writeIn(bed.dirOf(S), 'work/a/b/c', 'x'.repeat(996))
    for (const nowMs of [DUE_MS, DUE_MS + DAY_MS - 1, DUE_MS + DAY_MS, DUE_MS + 2 * DAY_MS]) {
      const failed = nowMs === DUE_MS + DAY_MS - 1 ? 0 : 1
      expect(await bed.archive({ nowMs }, { limits })).toEqual({ ...NOTHING, failed })
    }
    expect(textIn(bed.dirOf(S))).toBe('words')
    expect(readdirSync(join(bed.dataDir, 'archives/g'))).toEqual([])
    expect(await bed.told()).toMatchObject([{ type: 'session:archivePutOff', sessionId: S, detail: { because } }])
    expect(await bed.archive({ nowMs: DUE_MS + 3 * DAY_MS })).toMatchObject({ archived: 1 })
  })

  it('just within the limits is packed', async () => {
    await bed.close(S, 'words')
    writeIn(bed.dirOf(S), 'work/a/b/c', 'x'.repeat(995))
    const limits = { bytes: 1_000, entries: 5, depth: 3 }
    expect(await bed.archive({}, { limits })).toMatchObject({ archived: 1 })
  })

  it('in place of the directory itself is left alone', async () => {
    await bed.close(S)
    const outside = join(bed.dataDir, 'outside')
    writeIn(outside, 'secret.txt', 'secret')
    mkdirSync(join(bed.dataDir, 'sessions/g'), { recursive: true })
    symlinkSync(outside, bed.dirOf(S))
    expect(await bed.archive()).toMatchObject({ archived: 0, failed: 1 })
    expect(textIn(outside, 'secret.txt')).toBe('secret')
    expect(readlinkSync(bed.dirOf(S))).toBe(outside)
    expect((await bed.told())[0]?.detail).toMatchObject({ because: 'unreadable' })
  })

  it('(F6) is not tried twice by one cleaning, however long that takes', async () => {
    await bed.close('g/a', 'a'.repeat(2_000))
    await bed.close('g/b', 'b')
    const changes = { limits: { bytes: 1_000 }, world: { now: () => DUE_MS + 300_000, boundary: () => {} } }
    expect(await bed.archive({ limit: 1 }, changes)).toMatchObject({ failed: 1, isMore: true })
    expect(await bed.archive({ limit: 1 }, changes)).toMatchObject({ archived: 1, isMore: false })
  })

  it('keeps none of the others waiting', async () => {
    await bed.close('g/a', 'a')
    writeIn(bed.dirOf('g/a'), 'work/big', 'x'.repeat(5_000))
    await bed.close('g/b', 'b')
    expect(await bed.archive({}, { limits: { bytes: 1_000 } })).toMatchObject({ archived: 1, failed: 1, isMore: false })
    expect(existsSync(bed.dirOf('g/b'))).toBe(false)
  })
})

describe('what a crash leaves', () => {
  const parent = () => join(bed.dataDir, 'sessions/g')
  const whole = async () => {
    expect(await bed.archive()).toMatchObject({ archived: 1, failed: 0 })
    expect(readdirSync(parent())).toEqual([])
    expect(readdirSync(join(bed.dataDir, 'archives/g'))).toEqual(['old.tar.gz'])
    expect(textIn(bed.unpack(S))).toBe('words')
  }
  /** An archive of the session as it is, made by an earlier call that died right after. */
  const archived = async () => {
    const copy = join(bed.dataDir, 'copy')
    cpSync(bed.dirOf(S), copy, { recursive: true, preserveTimestamps: true })
    const world = { now: () => DUE_MS, boundary: () => Promise.reject(new Error('died')) }
    await bed.archive({}, { world, store: { ...spyOf(), putOffArchive: async () => {} } })
    return copy
  }
  const spyOf = () => ({
    listUnarchived: bed.store.listUnarchived.bind(bed.store),
    listRuns: bed.store.listRuns.bind(bed.store),
    isSettled: bed.store.isSettled.bind(bed.store),
    recordArchived: bed.store.recordArchived.bind(bed.store),
    putOffArchive: bed.store.putOffArchive.bind(bed.store),
  })
  beforeEach(() => bed.close(S, 'words'))

  it('half an archive is written over', async () => {
    mkdirSync(join(bed.dataDir, 'archives/g'), { recursive: true })
    writeFileSync(join(bed.dataDir, 'archives/g/.old.tar.gz.part'), 'half')
    await whole()
  })

  it('a complete archive beside the whole directory: it is packed once more', async () => {
    await archived()
    expect(textIn(bed.dirOf(S))).toBe('words')
    writeIn(bed.dirOf(S), 'work/later.txt', 'later')
    await whole()
    expect(textIn(bed.unpack(S), 'work/later.txt')).toBe('later')
  })

  it('a directory out of reach whose removal was not decided is taken back, and nothing new in it is lost', async () => {
    await archived()
    renameSync(bed.dirOf(S), join(parent(), `${PARTING_PREFIX}old`))
    writeIn(join(parent(), `${PARTING_PREFIX}old`), 'work/later.txt', 'later')
    await whole()
    expect(textIn(bed.unpack(S), 'work/later.txt')).toBe('later')
  })

  it('a directory half removed: the rest goes, and the archive is the whole one', async () => {
    writeIn(bed.dirOf(S), 'work/more.txt', 'more')
    await archived()
    const leftover = join(parent(), `${LEFTOVER_PREFIX}old`)
    renameSync(bed.dirOf(S), leftover)
    unlinkSync(join(leftover, 'work/note.txt'))
    await whole()
    expect(textIn(bed.unpack(S), 'work/more.txt')).toBe('more')
  })

  it('a directory half removed whose archive somebody took: what is left is packed', async () => {
    renameSync(bed.dirOf(S), join(parent(), `${LEFTOVER_PREFIX}old`))
    await whole()
  })

  it('a removed directory that is not on record yet', async () => {
    await archived()
    execFileSync('rm', ['-r', bed.dirOf(S)])
    await whole()
    expect((await bed.told()).at(-1)).toMatchObject({
      type: 'session:archived',
      detail: { path: 'archives/g/old.tar.gz' },
    })
  })

  it('a half removed directory beside one that came back stays with it for a person', async () => {
    const copy = await archived()
    renameSync(bed.dirOf(S), join(parent(), `${LEFTOVER_PREFIX}old`))
    renameSync(copy, bed.dirOf(S))
    expect(await bed.archive()).toMatchObject({ archived: 0, failed: 1 })
    expect(readdirSync(parent()).sort()).toEqual([`${LEFTOVER_PREFIX}old`, 'old'])
    expect((await bed.told()).at(-1)?.detail).toMatchObject({ because: 'two-folders' })
  })
})

describe('a cleaning that has to end', () => {
  const FILES = 3_000
  /** Asks some times while it is packed, as often while it is looked at a last time, and while it is removed. */
  const closeLarge = async () => {
    await bed.close(S, 'words')
    mkdirSync(join(bed.dirOf(S), 'work/many'))
    for (let file = 0; file < FILES; file += 1) writeFileSync(join(bed.dirOf(S), `work/many/${file}`), '')
  }

  it('(F6) finishes the session it has begun, and begins no other', async () => {
    await closeLarge()
    await bed.close('g/younger', 'words')
    let asked = 0
    expect(await bed.archive({ mayGoOn: async () => asked++ === 0 })).toMatchObject({ archived: 1, isMore: true })
    expect(existsSync(bed.dirOf('g/younger'))).toBe(true)
  })

  it('is asked once at a time, and nothing is done until it has answered', async () => {
    await closeLarge()
    let waiting = 0
    let most = 0
    let looks = 0
    const mayFinish = async () => {
      looks += 1
      waiting += 1
      most = Math.max(most, waiting)
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      waiting -= 1
      return true
    }
    expect(await bed.archive({ mayFinish })).toMatchObject({ archived: 1 })
    expect(most).toBe(1)
    expect(looks).toBeGreaterThan(8)
  })

  it.each([
    ['looks at it a last time', 1, `${PARTING_PREFIX}old`],
    ['removes it', 7, `${LEFTOVER_PREFIX}old`],
  ])('(F9) breaks off while it %s, and the next one goes on', async (_, look, name) => {
    await closeLarge()
    let looks = 0
    let isPacked = false
    const packed = onPacked(() => {
      isPacked = true
    })
    const mayFinish = async () => !isPacked || ++looks < look
    expect(await bed.archive({ mayFinish }, packed)).toEqual(NOTHING)
    expect(readdirSync(join(bed.dataDir, 'sessions/g'))).toEqual([name])
    expect(readdirSync(join(bed.dataDir, 'sessions/g', name, 'work/many')).length < FILES).toBe(look > 1)
    expect(await bed.archive()).toMatchObject({ archived: 1 })
    expect(readdirSync(join(bed.dataDir, 'sessions/g'))).toEqual([])
    expect(namesIn(bed.archiveOf(S)).filter((each) => each.startsWith('old/work/many/'))).toHaveLength(FILES + 1)
  })

  it('breaks off one of many small files as well', async () => {
    await closeLarge()
    let looks = 0
    expect(await bed.archive({ mayFinish: async () => looks++ === 0 })).toMatchObject({ archived: 0, failed: 0 })
    expect(readdirSync(join(bed.dirOf(S), 'work/many'))).toHaveLength(FILES)
    expect(readdirSync(join(bed.dataDir, 'archives/g'))).toEqual([])
  })

  it('breaks off a large session and leaves it as it was', async () => {
    await bed.close(S, 'words')
    truncateSync(join(bed.dirOf(S), 'work/note.txt'), 400 * 1024 * 1024)
    let looks = 0
    const mayFinish = async () => looks++ === 0
    expect(await bed.archive({ mayFinish })).toMatchObject({ archived: 0, failed: 0 })
    expect(looks).toBeGreaterThan(1)
    expect(lstatSync(join(bed.dirOf(S), 'work/note.txt')).size).toBe(400 * 1024 * 1024)
    expect(readdirSync(join(bed.dataDir, 'archives/g'))).toEqual([])
    expect(await bed.told()).toEqual([])
  })
})

describe.runIf(useTinyDisk.isPossible)('an archive for which there is no room', () => {
  it('is not left behind in part, and the directory stays', async () => {
    using disk = useTinyDisk(1024 * 1024)
    await bed.close(S, 'words')
    const random = execFileSync('head', ['-c', '3000000', '/dev/urandom'], { maxBuffer: 2 ** 23 })
    writeFileSync(join(bed.dirOf(S), 'work/random'), random)
    mkdirSync(join(bed.dataDir, 'archives/g'), { recursive: true })
    execFileSync('mount', ['--bind', disk.path, join(bed.dataDir, 'archives/g')])
    try {
      expect(await bed.archive()).toMatchObject({ archived: 0, failed: 1 })
      expect(readdirSync(disk.path)).toEqual([])
    } finally {
      execFileSync('umount', ['-l', join(bed.dataDir, 'archives/g')])
    }
    expect(readFileSync(join(bed.dirOf(S), 'work/random')).equals(random)).toBe(true)
    expect((await bed.told())[0]?.detail).toMatchObject({ because: 'no-room' })
    expect(await bed.archive({ nowMs: DUE_MS + 3_600_000 })).toMatchObject({ archived: 1 })
  })
})

async function messageOf(sessionId: string) {
  const [message] = await bed.store.listMessages({ sessionId, limit: 1 })
  if (message === undefined) throw new Error(`no message in ${sessionId}`)
  const { id, kind, content, processAfterMs, trigger, onWake, address, sourceSessionId } = message
  const base = { id, kind, content, processAfterMs, trigger, onWake, address, sourceSessionId, seriesId: null }
  return { ...base, sessionId, group: 'g' }
}

async function begin(sessionId: string) {
  const { newMessage } = await import('../store/messages.ts')
  await bed.store.accept([newMessage(`m-run-${sessionId}`, sessionId)], 1_000)
  const begun = await bed.store.beginRun({
    sessionId,
    runtime: 'process',
    nameOf: (epoch) => `run-${sessionId}-${epoch}`,
    maxLiveRuns: 9,
    probeForMs: 1_000,
    nowMs: 2_000,
  })
  if (!begun.begun) throw new Error(begun.because)
  return begun.run
}

async function end(run: { sessionId: string; epoch: number; name: string }) {
  const provider = PROVIDER
  const exit = { code: 0, signal: null, oomKilled: false }
  const none = { settlements: [], sinks: [], provider, spawnFailure: null, journal: [] }
  await bed.store.endRun({ run, nowMs: CLOSED_AT_MS, end: 'exited', exit, ...none })
}

async function reply(run: { sessionId: string; epoch: number; name: string }) {
  const address = { platformId: null, channelType: null, threadId: null }
  const said = { id: 'r-1', seq: 1, inReplyTo: null, kind: 'chat', content: '{}', deliverAfterMs: 1, address } as const
  const none = { settlements: [], countedAcks: [], requests: [], sessionState: [], journal: [] }
  await bed.store.takeOutbox({
    run,
    nowMs: 3_000,
    replies: [said],
    takenSeq: 1,
    sinks: ['hook'],
    provider: PROVIDER,
    ...none,
  })
}

/** Same size, and its times of modification put back. */
function rewrite(dir: string): void {
  const path = join(dir, 'work/note.txt')
  const { atimeMs, mtimeMs } = lstatSync(path)
  writeFileSync(path, 'WORDS')
  utimesSync(path, atimeMs / 1_000, mtimeMs / 1_000)
}

function replaceAlike(dir: string): void {
  const path = join(dir, 'work/sub/b')
  const { atimeMs, mtimeMs } = lstatSync(path)
  writeFileSync(`${path}2`, 'BBB')
  utimesSync(`${path}2`, atimeMs / 1_000, mtimeMs / 1_000)
  renameSync(`${path}2`, path)
}

function toLink(path: string): void {
  unlinkSync(path)
  symlinkSync('/etc/passwd', path)
}

function namesIn(archive: string): string[] {
  return execFileSync('tar', ['tzf', archive], { encoding: 'utf8' }).trimEnd().split('\n')
}

/** Every path below a folder with its kind and text. */
function listing(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const what = entry.isSymbolicLink() ? readlinkSync(path) : entry.isFile() ? readFileSync(path, 'utf8') : ''
      return `${path.slice(dir.length)} ${lstatSync(path).mode} ${what}`
    })
    .sort()
}
