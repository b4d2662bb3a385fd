/** Longest id, name or time in bytes that is believed; longer ones read as absent. */
const WORD_BYTES = 1024

/** A text column as it is when it is one of at most `WORD_BYTES`, else NULL; NULL also where there is no such column. */
export function word(has: ReadonlySet<string>, column: Lowercase<string>): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) = 'text' AND octet_length(${column}) <= ${WORD_BYTES} THEN ${column} END AS ${column}`
}

/** A number column; text, blobs and NULL read as NULL. */
export function number(has: ReadonlySet<string>, column: Lowercase<string>): string {
  if (!has.has(column)) return `NULL AS ${column}`
  return `CASE WHEN typeof(${column}) IN ('integer', 'real') THEN ${column} END AS ${column}`
}

/** What `word` selected. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** What `number` selected. */
export function numberOf(value: unknown): number | null {
  const plain = typeof value === 'bigint' ? Number(value) : value
  return typeof plain === 'number' && Number.isFinite(plain) ? plain : null
}
