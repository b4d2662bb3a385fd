import { realpath } from 'node:fs/promises'
import { SessiondError } from '../model/errors.ts'
import type { ResolvedMount } from './runtime.ts'

/**
 * Refuses (MOUNT_REFUSED) mounts whose source no longer is the real path it was resolved to: since then a link
 * has been put in its way, and it may lead out of the allowed roots. For the start of every run.
 */
export async function checkMountsUnmoved(mounts: readonly ResolvedMount[]): Promise<void> {
  for (const { source, target } of mounts) {
    const now = await realpath(source).catch(() => null)
    if (now === source) continue
    const what = now === null ? 'is gone' : `leads to ${now} now`
    throw new SessiondError('MOUNT_REFUSED', `The mount at ${target}: its source ${source} ${what}.`, {
      fields: { source, target },
      cure: 'Put it back, or correct the mount and restart sessiond.',
    })
  }
}
