import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

/** Kind of the entry that tells how many ticks a second has, in the kernel's words to a starting program. */
const AT_CLKTCK = 17n
/** What every kernel that Node runs on has said so far. */
const USUAL_TICKS_PER_SECOND = 100

/** Ticks of a second in /proc/<pid>/stat, as the kernel told this process at its start. */
export function clockTicksPerSecond(): number {
  try {
    return parseAuxv(readFileSync('/proc/self/auxv'), endianness()) ?? USUAL_TICKS_PER_SECOND
  } catch {
    // A process that gave up its privileges may not read its own.
    return USUAL_TICKS_PER_SECOND
  }
}

/** Finds the ticks of a second in an auxiliary vector of 64-bit words; null when they are not in it. Pure. */
export function parseAuxv(vector: Buffer, order: 'LE' | 'BE'): number | null {
  const wordAt = (offset: number) => (order === 'LE' ? vector.readBigUInt64LE(offset) : vector.readBigUInt64BE(offset))
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    const value = Number(wordAt(offset + 8))
    if (wordAt(offset) === AT_CLKTCK && value > 0 && value <= 1_000_000) return value
  }
  return null
}
