import { statSync, utimesSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { leaveHotJournal } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyDatabase } from './copy-database.ts'

const MAX_BYTES = 1024 * 1024
let dir = ''
let path = ''
let target = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sessiond-copy-'))
  path = join(dir, 'messages.db')
  target = join(dir, 'copies')
  await mkdir(target)
  using db = new DatabaseSync(path)
  db.exec("CREATE TABLE sessions (id); INSERT INTO sessions VALUES ('first')")
})

afterEach(() => rm(dir, { recursive: true, force: true }))

function idsIn(file: string): unknown[] {
  using db = new DatabaseSync(file)
  return db
    .prepare('SELECT id FROM sessions')
    .all()
    .map(({ id }) => id)
}

function write(id: string): void {
  using db = new DatabaseSync(path)
  db.prepare('INSERT INTO sessions VALUES (?)').run(id)
}

/** Long after everything here was written. */
const later = () => Date.now() + 60_000

describe('copyDatabase', () => {
  it('copies again what changed under the copying (C3)', () => {
    let looks = 0
    const copy = copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 5_000 }, () => {
      looks += 1
      // The look at the files has been taken by now.
      if (looks <= 2) write(`late ${looks}`)
      return later()
    })
    expect(looks).toBe(3)
    expect(idsIn(copy)).toEqual(['first', 'late 1', 'late 2'])
  })

  it('gives up in its time on a database that is never left alone', () => {
    const never = () => {
      write('again')
      return later()
    }
    expect(() => copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 30 }, never)).toThrow(
      'another program keeps changing it',
    )
  })

  it('trusts no copy of what was written in this very moment', () => {
    const { mtimeMs } = statSync(path)
    expect(() => copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 0 }, () => mtimeMs + 19)).toThrow(
      'another program keeps changing it',
    )
    utimesSync(path, new Date(mtimeMs - 60_000), new Date(mtimeMs - 60_000))
    expect(idsIn(copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 0 }, () => mtimeMs + 19))).toEqual(['first'])
  })

  it('takes what stands in the log only, also beside a writer that goes on (C3)', () => {
    using writer = new DatabaseSync(path)
    writer.exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; INSERT INTO sessions VALUES ('logged')")
    writer.exec("BEGIN; INSERT INTO sessions VALUES ('uncommitted')")
    expect(idsIn(copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 0 }))).toEqual(['first', 'logged'])
    writer.exec('ROLLBACK')
  })

  it('leaves no log of an earlier copy beside a later one', () => {
    const writer = new DatabaseSync(path)
    writer.exec("PRAGMA journal_mode=WAL; INSERT INTO sessions VALUES ('logged')")
    copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 0 })
    writer.exec("DELETE FROM sessions; INSERT INTO sessions VALUES ('last')")
    writer.close()
    expect(idsIn(copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 5_000 }, later))).toEqual(['last'])
  })

  it('refuses a journal that names another file, which a rollback would look up and delete (G1)', async () => {
    const victim = join(dir, 'victim')
    await writeFile(victim, 'precious')
    await leaveHotJournal(path)
    const name = Buffer.from(victim)
    const end = Buffer.alloc(16)
    end.writeUInt32BE(name.length, 0)
    end.writeUInt32BE(
      name.reduce((sum, byte) => sum + byte, 0),
      4,
    )
    end.write('d9d505f920a163d7', 8, 'hex')
    await appendFile(`${path}-journal`, Buffer.concat([Buffer.alloc(4), name, end]))
    const copying = () => copyDatabase(path, target, { maxBytes: 2 * MAX_BYTES, waitMs: 5_000 }, later)
    expect(copying).toThrow('names another file')
    expect(await readFile(victim, 'utf8')).toBe('precious')
  })

  it('copies no file that has grown beyond its bound, however little of it is there', async () => {
    await truncate(path, MAX_BYTES + 1)
    const copying = () => copyDatabase(path, target, { maxBytes: MAX_BYTES, waitMs: 5_000 }, later)
    expect(copying).toThrow(`more than the ${MAX_BYTES}`)
  })
})
