import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freeBytesOf } from '../disk-figures.ts'
import { COMPANIONS, lookAt } from '../mailbox/host-files.ts'
import { OPEN_LIMITS } from '../mailbox/open-outbound.ts'
import { copyDatabase } from './copy-database.ts'
import { isRealFolder } from './real-folder.ts'
import { Unreadable, unreadable } from './unreadable.ts'

/** Where a database lies and how much of it is believed. */
export interface DatabaseSource {
  /** Nothing between it and the file may be a link. */
  readonly root: string
  readonly path: string
  /** A database larger than this, with what lies beside it, is not read. */
  readonly maxBytes: number
  /** How long a writer that does not pause is waited for. */
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
 * Reads another program's database while that program may be at work, and touches nothing beside it. It is copied together
 * with its journal or log, never without, and read there: where it lies, SQLite could not read it without writing (the
 * shared memory of a log, what a killed writer left half-done, the owner of a journal when root reads). Null: there is none, or it is still empty. Throws Unreadable; never gives half an answer.
 */
export function readDatabase<T>(source: DatabaseSource, read: (db: DatabaseSync) => T): T | null {
  try {
    const folders = relative(source.root, dirname(source.path)).split(sep)
    if (!isRealFolder(source.root, folders) || !hasDatabase(source)) return null
    return readCopy(source, read)
  } catch (error) {
    throw unreadable(source.path, error)
  }
}

/** Plain files with one name each (G4), within the bound, and room for a copy of them. */
function hasDatabase({ path, maxBytes, tempDir }: DatabaseSource): boolean {
  const bytes = sizeOfPlain(path)
  const besides = COMPANIONS.map((suffix) => sizeOfPlain(path + suffix) ?? 0)
  if (bytes === null) return false
  const all = besides.reduce((sum, size) => sum + size, bytes)
  if (all > maxBytes) throw new Unreadable(`${path} has ${all} bytes, more than the ${maxBytes} that are read.`)
  if (bytes < MIN_BYTES) {
    if (all > 0) throw new Unreadable(`${path} is cut short.`)
    return false
  }
  // What is half-done may be written once more when it is completed there.
  if (freeBytesOf(statfsSync(tempDir)) < 2 * all)
    throw new Unreadable(`${path} cannot be read: there is no room for a copy in ${tempDir}.`)
  return true
}

function sizeOfPlain(path: string): number | null {
  const seen = lookAt(path)
  if (seen === undefined) return null
  if (!seen.isFile()) throw new Unreadable(`${path} is a link, a pipe, a folder or a device.`)
  if (seen.nlink > 1) throw new Unreadable(`${path} has a second name.`)
  return seen.size
}

function readCopy<T>({ path, maxBytes, tempDir, busyMs, isHostile }: DatabaseSource, read: (db: DatabaseSync) => T): T {
  const folder = mkdtempSync(join(tempDir, 'copy-'))
  try {
    // Writable: only a writer may roll back, or check in, what was half-done. Nobody else has the copy.
    const db = new DatabaseSync(copyDatabase(path, folder, { maxBytes, waitMs: busyMs }), {
      timeout: 0,
      // Integers beyond 2^53 must be read, not throw.
      readBigInts: true,
      enableForeignKeyConstraints: false,
      ...(isHostile ? { limits: OPEN_LIMITS } : {}),
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
