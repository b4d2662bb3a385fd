import type { Store } from '../store.ts'
import type { Database } from './database.ts'
import type { Tx } from './tx.ts'

const LOW = "SELECT 1 FROM meta WHERE key = 'disk_low'"

export function isDiskLow(db: Database): boolean {
  return db.get(LOW) !== undefined
}

/** Puts on record that the disk has become low, or is so no more; false, and nothing written: it is on record already. */
export function recordDisk(tx: Tx, { isLow, detail }: Parameters<Store['recordDisk']>[0], nowMs: number): boolean {
  if (isDiskLow(tx.db) === isLow) return false
  if (isLow) tx.db.run("INSERT INTO meta (key, value) VALUES ('disk_low', ?)", String(nowMs))
  else tx.db.run("DELETE FROM meta WHERE key = 'disk_low'")
  const type = isLow ? 'disk:low' : 'disk:recovered'
  tx.journal({ type, atMs: nowMs, sessionId: null, epoch: null, messageId: null, detail })
  return true
}
