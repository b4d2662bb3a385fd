import { lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertOpened, readPiece } from './inspect-outbound.ts'

describe('a file exchanged between the look and the open', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sessiond-inspect-'))
  })

  afterEach(() => {
    rmSync(dir, { recursive: true, force: true })
  })

  function makeDatabase(name: string): string {
    const path = join(dir, name)
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE t (x)')
    db.close()
    return path
  }

  test('(G4) is noticed once SQLite has opened it', () => {
    const [looked, opened] = [lstatSync(makeDatabase('looked')), makeDatabase('opened')]
    const db = new DatabaseSync(opened, { readOnly: true })
    expect(() => assertOpened(looked)).toThrow(expect.objectContaining({ code: 'MAILBOX_UNSAFE' }))
    expect(() => assertOpened(lstatSync(opened))).not.toThrow()
    db.close()
  })

  test('(G4) is noticed before a byte of it is read', () => {
    const looked = lstatSync(makeDatabase('looked'))
    const other = makeDatabase('other')
    expect(() => readPiece(other, looked, 0, 20)).toThrow(expect.objectContaining({ code: 'MAILBOX_UNSAFE' }))
    expect(readPiece(other, lstatSync(other), 0, 6).toString()).toBe('SQLite')
  })
})
