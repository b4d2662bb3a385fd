import { type Leaf, text } from './leaf.ts'

/** Tells whether this Node knows `name` as an IANA zone; offsets such as `+01:00` are no zones. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    // RangeError is how Intl says no; there is no other way to ask.
    return false
  }
}

/** An option that names a time zone. */
export function timeZone(about: string, absent: string): Leaf<string> {
  return text({
    about,
    unit: 'IANA zone',
    absent,
    rule: 'must be an IANA time zone',
    cure: "Write it as 'Europe/Berlin' or 'UTC'.",
    accepts: isTimeZone,
  })
}
