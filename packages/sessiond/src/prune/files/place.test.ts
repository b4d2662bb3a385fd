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
import { removeFolder } from './remove-folder.ts'

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
  expect(place.returnTo(1)).toBe(true)
  expect(process.cwd()).toBe(join(root, 'a'))
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
  expect(measureFolder(place, () => {})).toBeNull()
  expect(process.cwd()).toBe(join(root, 'a'))
})

test('(G1, G2, G3) removes nothing outside when a folder within becomes a link at the last moment', () => {
  const place = enter()
  const { ino } = statSync(join(root, 'a'), { bigint: true })
  before('b', () => {
    // By then it bears the name of what is being removed.
    renameSync(join(root, '.sessiond-pruning.a/b'), join(base, 'aside'))
    symlinkSync(join(outside, 'b'), join(root, '.sessiond-pruning.a/b'))
  })
  expect(removeFolder(place, { name: 'a', ino, entries: 3 }, () => {})).toBe(false)
  expect(preciousLeft()).toBe(3)
  expect(process.cwd()).toBe(root)
})

test('(G1, G2, G3) gives back its name to what takes the place of a folder at the last moment', () => {
  const place = enter()
  const { ino } = statSync(join(root, 'a'), { bigint: true })
  swap('a', outside)
  expect(removeFolder(place, { name: 'a', ino, entries: 3 }, () => {})).toBe(false)
  expect(readdirSync(root)).toEqual(['a'])
  expect(preciousLeft()).toBe(3)
})
