import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { measureFolder } from './measure-folder.ts'
import { Place } from './place.ts'
import { removalOf } from './remove-folder.ts'
import { type FolderWalk, walkFolders } from './walk-folders.ts'

const home = process.cwd()
let base: string
let root: string
let outside: string

beforeEach(async () => {
  base = realpathSync(await mkdtemp(join(tmpdir(), 'place-')))
  root = join(base, 'root')
  outside = join(base, 'outside')
  mkdirSync(join(root, 'a/b/c'), { recursive: true })
  mkdirSync(join(outside, 'b/c'), { recursive: true })
  for (const folder of ['.', 'b', 'b/c']) writeFileSync(join(outside, folder, 'precious'), 'precious')
})

afterEach(async () => {
  vi.restoreAllMocks()
  process.chdir(home)
  await rm(base, { recursive: true, force: true })
})

/** A place at the root. */
function enter(): Place {
  const place = new Place(root)
  expect(place.enterRoot()).toBe('entered')
  return place
}

/** Does something at the worst moment: after a name was looked at, and right before it is gone to. */
function before(target: string, act: () => void): void {
  const chdir = process.chdir.bind(process)
  let isDone = false
  vi.spyOn(process, 'chdir').mockImplementation((to) => {
    if (to === target && !isDone) {
      isDone = true
      act()
    }
    chdir(to)
  })
}

/** Puts a link to a folder outside where a folder was. */
function swap(path: string, target: string): void {
  renameSync(join(root, path), join(base, 'aside'))
  symlinkSync(target, join(root, path))
}

/** What work comes to that pauses now and then. */
function endOf<Result>(work: Generator<unknown, Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

function preciousLeft(): number {
  return ['.', 'b', 'b/c'].filter((folder) => existsSync(join(outside, folder, 'precious'))).length
}

test('goes down and up one name at a time', () => {
  const place = enter()
  for (const name of ['a', 'b', 'c']) expect(place.down(name)).toBe('entered')
  expect(process.cwd()).toBe(join(root, 'a/b/c'))
  expect(place.returnTo(1)).toBe(true)
  expect(process.cwd()).toBe(join(root, 'a'))
  expect(place.down('missing')).toBe('missing')
  expect(place.returnTo(0)).toBe(true)
  expect(place.returnTo(1)).toBe(false)
  expect(process.cwd()).toBe(root)
})

test('(G3) refuses what is no folder of its own', () => {
  symlinkSync(outside, join(root, 'link'))
  symlinkSync('a', join(root, 'near'))
  writeFileSync(join(root, 'file'), '')
  const place = enter()
  for (const name of ['link', 'near', 'file']) expect(place.down(name)).toBe('refused')
  expect(place.returnTo(0)).toBe(true)
  expect(process.cwd()).toBe(root)
})

test('(G3) refuses a root that is a link, or is reached over one', () => {
  symlinkSync(root, join(base, 'link'))
  symlinkSync(base, join(outside, 'up'))
  expect(new Place(join(base, 'link')).enterRoot()).toBe('refused')
  expect(new Place(join(base, 'link/a')).enterRoot()).toBe('refused')
  expect(new Place(join(outside, 'up/root')).enterRoot()).toBe('refused')
  expect(new Place(join(base, 'missing')).enterRoot()).toBe('missing')
})

test('(G3) refuses a root on whose way a link appears while it is entered', () => {
  before(join(root, 'a/b'), () => swap('a', outside))
  expect(new Place(join(root, 'a/b')).enterRoot()).toBe('refused')
})

test('(G3) is not led away by a folder that becomes a link between the look and the step', () => {
  const place = enter()
  before('a', () => swap('a', outside))
  expect(place.down('a')).toBe('refused')
  expect(place.returnTo(0)).toBe(true)
  expect(process.cwd()).toBe(root)
})

test('(G3) comes back to the root from a folder that was moved out of it', () => {
  const place = enter()
  place.down('a')
  place.down('b')
  renameSync(join(root, 'a/b'), join(outside, 'moved'))
  expect(place.returnTo(1)).toBe(true)
  expect(process.cwd()).toBe(join(root, 'a'))
})

test('(G3) gives up a folder whose way is gone, and comes back to what is above it', () => {
  const place = enter()
  for (const name of ['a', 'b', 'c']) place.down(name)
  renameSync(join(root, 'a/b/c'), join(outside, 'moved'))
  renameSync(join(root, 'a/b'), join(base, 'aside'))
  symlinkSync(join(outside, 'b'), join(root, 'a/b'))
  expect(place.returnTo(2)).toBe(false)
  // So much of the way still leads anywhere.
  expect(place.depth).toBe(1)
  expect(place.returnTo(1)).toBe(true)
  expect(process.cwd()).toBe(join(root, 'a'))
})

test.each([true, false])('(G3) a lost way is not walked again for each folder on it: %j', (findsBack) => {
  const depth = 100
  process.chdir(join(root, 'a/b/c'))
  for (let level = 0; level < depth; level += 1) {
    mkdirSync('d')
    process.chdir('d')
  }
  const place = enter()
  const lost: number[] = []
  const walk: FolderWalk<number> = {
    *read(level) {
      yield
      if (level === depth + 3) {
        // Neither the last nor the second is where it was by the time of the way back.
        renameSync('../d', join(outside, 'moved'))
        renameSync(join(root, 'a/b'), join(base, 'aside'))
        return []
      }
      return readdirSync('.')
    },
    below: (level) => level + 1,
    refuse: (level) => lost.push(level),
    isOver: false,
    findsBack,
  }
  const moves = vi.spyOn(process, 'chdir')
  expect(endOf(walkFolders(place, 0, walk))).toBe(true)
  expect(lost.slice(0, depth + 1)).toEqual(Array.from({ length: depth + 1 }, (_, index) => depth + 2 - index))
  // Down, up as far as it goes, and from the root once or twice.
  expect(moves.mock.calls.length).toBeLessThan(2 * depth + 20)
})

test('(G3) a folder of the same file system that is mounted below the root is not entered', () => {
  const place = new Place(root, [join(base, 'root/a/b'), root, base, '/'])
  expect(place.enterRoot()).toBe('entered')
  expect(place.down('a')).toBe('entered')
  expect(place.down('b')).toBe('elsewhere')
  expect(place.returnTo(0)).toBe(true)
})

test('(G3) enters a folder whose name is no text', () => {
  const name = Buffer.from([0x61, 0xff])
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), name]))
  const place = enter()
  expect(place.down(name)).toBe('entered')
  expect(place.returnTo(0)).toBe(true)
  expect(process.cwd()).toBe(root)
})

test('(G1, G2, G3) measures nothing outside when a folder within becomes a link at the last moment', () => {
  const place = enter()
  place.down('a')
  before('b', () => swap('a/b', join(outside, 'b')))
  expect(endOf(measureFolder(place, ({ mtimeMs }) => mtimeMs, { left: 1_000 }))).toBeNull()
  expect(process.cwd()).toBe(join(root, 'a'))
})

test('a tree of which a part is moved away while it is measured has no measure', () => {
  const place = enter()
  place.down('a')
  const work = measureFolder(place, ({ mtimeMs }) => mtimeMs, { left: 1_000 })
  // It pauses before each folder: here before `c`.
  for (let folder = 0; folder < 3; folder += 1) work.next()
  renameSync(join(root, 'a/b'), join(base, 'aside'))
  expect(endOf(work)).toBeNull()
  expect(place.returnTo(0)).toBe(true)
})

test('a removal that cannot begin gives the folder its name back', () => {
  const place = enter()
  const { ino } = statSync(join(root, 'a'))
  const work = removalOf(place, { name: 'a', ino, entries: 3 })
  work.next()
  expect(readdirSync(root)).toEqual(['.sessiond-pruning.a'])
  before('b', () => {
    renameSync(join(root, '.sessiond-pruning.a/b'), join(base, 'aside'))
    symlinkSync(outside, join(root, '.sessiond-pruning.a/b'))
  })
  expect(endOf(work)).toBe('changed')
  expect(readdirSync(root)).toEqual(['a'])
})

test('(G1, G2, G3) removes nothing outside when a folder within becomes a link at the last moment', () => {
  const place = enter()
  const { ino } = statSync(join(root, 'a'))
  before('b', () => {
    // By then it bears the name of what is being removed.
    renameSync(join(root, '.sessiond-pruning.a/b'), join(base, 'aside'))
    symlinkSync(join(outside, 'b'), join(root, '.sessiond-pruning.a/b'))
  })
  expect(endOf(removalOf(place, { name: 'a', ino, entries: 3 }))).toBe('changed')
  expect(preciousLeft()).toBe(3)
  expect(process.cwd()).toBe(root)
})

test('(G1, G2, G3) gives back its name to what takes the place of a folder at the last moment', () => {
  const place = enter()
  const { ino } = statSync(join(root, 'a'))
  swap('a', outside)
  expect(endOf(removalOf(place, { name: 'a', ino, entries: 3 }))).toBe('changed')
  expect(readdirSync(root)).toEqual(['a'])
  expect(preciousLeft()).toBe(3)
})
