import { mkdirSync, symlinkSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Run } from '../model/run.ts'
import type { SessionSummary } from '../model/session.ts'
import type { StoreReader } from '../store/store.ts'
import { findMisfits } from './find-misfits.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'misfits-'))
})

afterEach(() => rm(dataDir, { recursive: true, force: true }))

interface Known {
  readonly id: string
  readonly status?: 'open' | 'closed'
  /** When each of its runs was started, newest first; null: it never was. */
  readonly starts?: readonly (number | null)[]
}

/** A store that knows these; `onListed` is called once it has told of a page. */
function storeOf(known: readonly Known[], onListed: () => void = () => {}): StoreReader {
  const sessions = known.map(({ id, status = 'open', starts = [] }) => {
    const [group, name] = id.split('/')
    return { id, group, name, status, epoch: starts.length } as SessionSummary
  })
  return {
    listSessions: async ({ after, limit }: { after?: string; limit: number }) => {
      const page = sessions.filter(({ id }) => after === undefined || id > after).slice(0, limit)
      onListed()
      return page
    },
    listRuns: async (id: string) => {
      const starts = known.find((each) => each.id === id)?.starts ?? []
      return starts.map((startedAtMs) => ({ startedAtMs }) as Run)
    },
  } as Partial<StoreReader> as StoreReader
}

function makeSession(id: string): void {
  mkdirSync(join(dataDir, 'sessions', id), { recursive: true })
}

describe('findMisfits', () => {
  test('takes a session that begins under its eyes for no stranger', async () => {
    makeSession('g/a')
    const store = storeOf([{ id: 'g/a', starts: [1] }], () => makeSession('g/new'))
    expect(await findMisfits(dataDir, store, 0)).toMatchObject({ misplaced: [], missing: [] })
  })

  test.each<[string, Known]>([
    ['never ran', { id: 'g/b' }],
    ['is closed', { id: 'g/b', status: 'closed', starts: [5] }],
    ['has a first run that is not started yet', { id: 'g/b', starts: [null] }],
  ])('misses no directory of a session that %s', async (_, session) => {
    makeSession('g/a')
    const found = await findMisfits(dataDir, storeOf([{ id: 'g/a', starts: [1] }, session]), 0)
    expect(found.missing).toEqual([])
  })

  test('misses that of a session whose last runs only failed for want of it', async () => {
    const found = await findMisfits(dataDir, storeOf([{ id: 'g/b', starts: [null, null, 3] }]), 0)
    expect(found).toMatchObject({ missing: ['g/b'], misplaced: [], directories: 0 })
  })

  test('follows no link to a group: what lies behind it is neither there nor missing nor a stranger', async () => {
    const outside = join(dataDir, 'outside')
    await mkdir(join(outside, 'a'), { recursive: true })
    await mkdir(join(outside, 'stranger'))
    await mkdir(join(dataDir, 'sessions'))
    symlinkSync(outside, join(dataDir, 'sessions', 'g'))
    expect(await findMisfits(dataDir, storeOf([{ id: 'g/a', starts: [1] }]), 0)).toMatchObject({
      misplaced: [{ path: 'g', why: 'link' }],
      missing: [],
    })
    expect(await findMisfits(dataDir, storeOf([]), 0)).toMatchObject({
      misplaced: [{ path: 'g', why: 'no-directory' }],
    })
  })

  test('takes a link in the place of a session for no loss of its files, and one beside it for none of ours', async () => {
    makeSession('g/a')
    for (const name of ['b', 'other']) symlinkSync(dataDir, join(dataDir, 'sessions', 'g', name))
    const store = storeOf(['g/a', 'g/b', 'g/c'].map((id) => ({ id, starts: [1] })))
    expect(await findMisfits(dataDir, store, 0)).toMatchObject({
      misplaced: [
        { path: 'g/b', why: 'link' },
        { path: 'g/other', why: 'no-directory' },
      ],
      missing: ['g/c'],
    })
  })

  test('refuses to look through a link in the place of all sessions', async () => {
    symlinkSync('/', join(dataDir, 'sessions'))
    await expect(findMisfits(dataDir, storeOf([]), 0)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })

  test('knows sessions beyond the first page', async () => {
    const ids = Array.from({ length: 2_001 }, (_, index) => `g/s${String(index).padStart(4, '0')}`)
    for (const id of ids) makeSession(id)
    const found = await findMisfits(dataDir, storeOf(ids.map((id) => ({ id, starts: [1] }))), 0)
    expect(found).toMatchObject({ misplaced: [], missing: [], sessions: 2_001, directories: 2_001 })
  })

  test('overlooks what a file system of its own brings along', async () => {
    makeSession('lost+found')
    expect(await findMisfits(dataDir, storeOf([]), 0)).toMatchObject({ misplaced: [], directories: 0 })
  })

  test('refuses to call all of it strange when no session is on record', async () => {
    makeSession('g/s')
    await expect(findMisfits(dataDir, storeOf([]), 0)).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE' })
  })

  test('(F4) refuses to call all of them missing when not one directory is there: sessions/ is not mounted', async () => {
    const ran = storeOf([
      { id: 'g/a', starts: [1] },
      { id: 'g/b', starts: [1] },
      { id: 'g/later' },
      { id: 'g/old', status: 'closed', starts: [1] },
    ])
    const looking = () => findMisfits(dataDir, ran, 0)
    await expect(looking()).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE', fields: { sessions: 2 } })
    await mkdir(join(dataDir, 'sessions', 'lost+found'), { recursive: true })
    await expect(looking()).rejects.toMatchObject({ code: 'REFERENCES_IMPLAUSIBLE' })
    // Of a session that is known, open or not: the folder is the right one.
    makeSession('g/old')
    expect(await looking()).toMatchObject({ missing: ['g/a', 'g/b'] })
  })
})
