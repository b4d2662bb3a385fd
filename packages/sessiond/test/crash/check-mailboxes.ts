import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Evidence, sessionDir } from './evidence.ts'

/** Both databases of each session can be read by one who may not write, and nothing of a dead run stands in them. */
export function checkMailboxes(dataDir: string, evidence: Evidence): string[] {
  return [...evidence.witnesses.keys()].flatMap((sessionId) => {
    const dir = sessionDir(dataDir, sessionId)
    const databases = ['in/inbound.db', 'out/outbound.db'].map((name) => join(dir, name))
    return databases.filter(existsSync).flatMap((path) => checkDatabase(path).map((what) => `${sessionId}: ${what}`))
  })
}

function checkDatabase(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    // With a hot journal left, a reader that may not write fails here.
    const found = String(database.prepare('PRAGMA integrity_check').get()?.integrity_check)
    return found === 'ok' ? [] : [`${path}: ${found}`]
  } catch (error) {
    return [`${path}: ${error}`]
  } finally {
    database.close()
  }
}
