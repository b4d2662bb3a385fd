import { formatSize } from '../config/size.ts'
import { hasCode, SessiondError } from '../model/errors.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'

/**
 * Why nothing new is accepted now: the last bytes of a disk are for runs and replies, for finishing what was accepted.
 * Null: there is room.
 */
export async function belowFloor(diskFloor: Pick<DiskFloor, 'look'>): Promise<SessiondError | null> {
  const { isLow, freeBytes, floorBytes, wantedBytes } = await diskFloor.look()
  if (!isLow) return null
  const floor = formatSize(floorBytes)
  const what =
    `The disk has ${freeBytes} bytes free. Below limits.diskFloor (${floor}) nothing new is accepted, ` +
    `until ${wantedBytes} are free again.`
  return new SessiondError('DISK_FULL', what, { fields: { freeBytes: freeBytes ?? 0, floorBytes, wantedBytes } })
}

/** Whether nothing has failed: the disk is known to be low, which `disk:low` has told or will. */
export function isBelowFloor(error: unknown): boolean {
  return hasCode(error, 'DISK_FULL') && typeof error.fields.floorBytes === 'number'
}
