import { mkdtempSync, rmSync, type Stats } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { COMPANIONS, lookAt } from '../mailbox/host-files.ts'
import { assertOpened, readPiece } from '../mailbox/inspect-outbound.ts'
import { OPEN_LIMITS } from '../mailbox/open-outbound.ts'
import { copyDatabase } from './copy-database.ts'
import { isRealFolder } from './real-folder.ts'
import { isHalfDone, Unreadable, unreadable } from './unreadable.ts'

/** Where a database lies and how much of it is believed. */
export interface DatabaseSource {
  /** Nothing between it and the file may be a link. */
  readonly root: string
  readonly path: string
  /** A database larger than this, with what lies beside it, is not opened. */
  readonly maxBytes: number
  /** How long another writer's lock is waited for. */
  readonly busyMs: number
  /** Private folder for copies; whatever is put there is removed again. */
  readonly tempDir: string
  /** True: its writer may be an enemy, and values and statements have small bounds. */
  readonly isHostile: boolean
}

/** SQLite's memory, whatever schema or rows it meets. */
const HEAP_BYTES = 64 * 1024 * 1024
/** Smaller is no database: nobody has written one yet. */
const MIN_BYTES = 512

/**
 * Reads another program's database while that program may be at work, and writes nothing beside it. A database in
 * rollback mode is read where it lies, under SQLite's own lock. One in WAL mode, or with what a killed writer left
 * half-done, cannot be read without writing: it is copied together with its journal or log, never without, and read
 * there. Null: there is none, or it is still empty. Throws Unreadable; never gives half an answer.
 */
export function readDatabase<T>(source: DatabaseSource, read: (db: DatabaseSync) => T): T | null {
  try {
    return readAsItLies(source, read)
  } catch (error) {
    throw unreadable(source.path, error)
  }
}

function readAsItLies<T>(source: DatabaseSource, read: (db: DatabaseSync) => T): T | null {
  const folders = relative(source.root, dirname(source.path)).split(sep)
  if (!isRealFolder(source.root, folders)) return null
  const seen = lookAtDatabase(source)
  if (seen === null) return null
  const header = readPiece(source.path, seen, 0, 20)
  // Bytes 18 and 19 say 2 in WAL mode: a reader would make, or write to, the shared memory beside the database.
  if (header[18] === 2 || header[19] === 2) return readCopy(source, read)
  try {
    return readAt(source.path, seen, source, read)
  } catch (error) {
    if (!isHalfDone(error)) throw error
    return readCopy(source, read)
  }
}

/** Plain files with one name each (G4), within the bound. */
function lookAtDatabase({ path, maxBytes }: DatabaseSource): Stats | null {
  const db = lookAtPlain(path)
  const besides = COMPANIONS.map((suffix) => lookAtPlain(path + suffix)?.size ?? 0)
  if (db === undefined) return null
  const bytes = besides.reduce((sum, size) => sum + size, db.size)
  if (bytes > maxBytes) throw new Unreadable(`${path} has ${bytes} bytes, more than ${maxBytes} that are read.`)
  return db.size < MIN_BYTES ? lookAtShort(path, db, besides) : db
}

/** An empty file is one just being made, unless its writer's log says what it is to hold. */
function lookAtShort(path: string, db: Stats, besides: readonly number[]): null {
  if (db.size > 0 || besides.some((size) => size > 0)) throw new Unreadable(`${path} is cut short.`)
  return null
}

function lookAtPlain(path: string): Stats | undefined {
  const seen = lookAt(path)
  if (seen === undefined) return undefined
  if (!seen.isFile()) throw new Unreadable(`${path} is a link, a pipe, a folder or a device.`)
  if (seen.nlink > 1) throw new Unreadable(`${path} has a second name.`)
  return seen
}

function readAt<T>(path: string, expected: Stats, source: DatabaseSource, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, {
    readOnly: true,
    timeout: source.busyMs,
    readBigInts: true,
    enableForeignKeyConstraints: false,
    ...(source.isHostile ? { limits: OPEN_LIMITS } : {}),
  })
  try {
    assertOpened(expected)
    return readInOneLook(db, read)
  } finally {
    db.close()
  }
}

function readCopy<T>(source: DatabaseSource, read: (db: DatabaseSync) => T): T {
  const folder = mkdtempSync(join(source.tempDir, 'copy-'))
  try {
    const path = copyDatabase(source.path, folder, source.busyMs)
    // Writable: only a writer may roll back, or check in, what was half-done. It is the copy's, nobody else sees it.
    const db = new DatabaseSync(path, {
      timeout: 0,
      readBigInts: true,
      enableForeignKeyConstraints: false,
      ...(source.isHostile ? { limits: OPEN_LIMITS } : {}),
    })
    try {
      return readInOneLook(db, read)
    } finally {
      db.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readInOneLook<T>(db: DatabaseSync, read: (db: DatabaseSync) => T): T {
  db.exec(`PRAGMA hard_heap_limit=${HEAP_BYTES}; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;
    PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON`)
  db.exec('BEGIN')
  const found = read(db)
  db.exec('COMMIT')
  return found
}
