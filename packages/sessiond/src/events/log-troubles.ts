import { SessiondError } from '../model/errors.ts'
import type { World } from '../world.ts'
import { RepeatedTroubles } from './repeated-troubles.ts'

/** What telling of troubles needs of a logger; a pino logger fits. */
export interface TroubleLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/**
 * A log of errors that collapses repetitions. What is wrong with the host's disk or store is one trouble wherever it
 * shows; anything else is one per place. What carries an id a person was given to look up is always logged.
 */
export function logTroubles(log: TroubleLog, world: Pick<World, 'monotonicMs'>): TroubleLog {
  const troubles = new RepeatedTroubles(world)
  return {
    error(fields, message) {
      const repeated = isLookedUp(fields) ? 0 : troubles.note(kindOf(fields, message))
      if (repeated !== null) log.error(repeated === 0 ? fields : { ...fields, repeated }, message)
    },
  }
}

/** The host's own troubles: every session and every request meets them. */
const OF_THE_HOST = ['DISK_FULL', 'STORE_BUSY', 'STORE_BROKEN', 'DATA_DIR_UNUSABLE']

function kindOf({ err, code, where }: Readonly<Record<string, unknown>>, message: string): string {
  const known = err instanceof SessiondError ? err.code : code
  if (typeof known === 'string' && OF_THE_HOST.includes(known)) return known
  const words = known ?? (err instanceof Error ? err.message : err)
  return [message, where, words].map(String).join('\n').slice(0, 500)
}

/** An answer named this id and told its reader to find it here. */
function isLookedUp({ code }: Readonly<Record<string, unknown>>): boolean {
  return code === 'INTERNAL'
}
