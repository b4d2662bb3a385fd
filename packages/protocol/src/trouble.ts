/** What kept a run from its model, and is no message's fault: the account's limit, or the provider being away. */
export const TROUBLES = ['rate-limit', 'outage'] as const

export type Trouble = (typeof TROUBLES)[number]

/** Reads a word as found in a mailbox; null for any other value, which then says nothing. */
export function parseTrouble(value: unknown): Trouble | null {
  return TROUBLES.find((trouble) => trouble === value) ?? null
}
