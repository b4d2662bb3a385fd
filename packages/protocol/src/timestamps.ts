const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/

/** Formats an instant as the protocol's timestamp: UTC, milliseconds, `Z`. Throws RangeError when `ms` is no instant. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString()
}

/**
 * Reads a timestamp as found in a mailbox: ISO-8601 with `T` or a space, with or without seconds, fraction and
 * offset. One without a zone is UTC, as SQLite's own `datetime()` writes it; the reader's zone never matters.
 * Returns undefined for anything else, impossible dates included, so that a hostile value is never an instant.
 */
export function parseTimestamp(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > 64) return undefined
  const match = ISO.exec(text.trim())
  if (match === null) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const millisecond = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    millisecond,
  )
  const date = new Date(local)
  // What Date.UTC had to carry over (31 April, month 13, year 26 taken for 1926) was no date.
  const isReal =
    date.getUTCFullYear() === Number(year) &&
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    date.getUTCMinutes() === Number(minute)
  if (!isReal || Number(second) > 59) return undefined
  return local - offsetMs(zone)
}

/** Tells whether a timestamp names its zone; people's input must, mailbox rows need not. */
export function hasZone(text: string): boolean {
  return ISO.exec(text.trim())?.[8] !== undefined
}

function offsetMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const digits = zone.slice(1).replace(':', '')
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000
}
