import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const DAY_MS = 86_400_000

/** A file of an installation that was last written so many days ago; its folders are made and carry the same age. */
export function writeAged(root: string, path: string, days: number, text = 'x'): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  setAge(file, days)
}

/** Makes a file or folder look as if it had last been written so many days ago. */
export function setAge(path: string, days: number): void {
  const at = new Date(Date.now() - days * DAY_MS)
  utimesSync(path, at, at)
}

/** A database made by these statements. */
export function makeDatabase(path: string, schema: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const db = new DatabaseSync(path)
  // What a test makes need not survive a power cut, and there is much of it.
  db.exec('PRAGMA synchronous=OFF')
  db.exec(schema)
  return db
}
