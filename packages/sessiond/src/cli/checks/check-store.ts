import { SessiondError } from '../../model/errors.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import type { Check } from '../../runtime/runtime.ts'
import { isStoreMissing, refuseLostStore } from '../../store/sqlite/open-database.ts'
import { openStoreReadOnly } from '../../store/sqlite/open-store.ts'

/** Whether this version can read the store and nothing in it is damaged, and that it is no copy; changes nothing, host running or not (C8). */
export async function checkStore(dataDir: string): Promise<Check[]> {
  const name = 'store'
  try {
    refuseLostStore(dataDir)
    // No host has run yet: the first one makes it.
    if (isStoreMissing(dataDir)) return []
    const store = await openStoreReadOnly(dataDir)
    try {
      const damage = await store.checkIntegrity()
      if (damage.length > 0) throw new SessiondError('STORE_BROKEN', `The store is damaged: ${damage.join('; ')}.`)
      await store.refuseCopy()
      return [{ name, ok: true, detail: `install ${store.installId}, sound` }]
    } finally {
      await store.close()
    }
  } catch (error) {
    return [failedCheck(name, error)]
  }
}
