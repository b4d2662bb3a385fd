/** A captured id is a part of one name in a directory, which no file system makes longer. */
const ID_CHARS = 255

/** Ids taken of one session; a run that writes more into its state has none but its own files to lose. */
const IDS_PER_SESSION = 2_000

/**
 * Adds the ids that one value of a session's state mentions: the value itself and, where it is JSON, every string in
 * it, names of fields included. A run wrote it, so whatever its depth and size, the work is bounded by its length.
 */
export function addReferencedIds(ids: Set<string>, value: string): void {
  addId(ids, value)
  const pending: unknown[] = [parse(value)]
  while (pending.length > 0 && ids.size < IDS_PER_SESSION) {
    const next = pending.pop()
    if (typeof next === 'string') addId(ids, next)
    else if (Array.isArray(next)) for (const item of next) pending.push(item)
    else if (typeof next === 'object' && next !== null) {
      for (const [name, item] of Object.entries(next)) pending.push(item, name)
    }
  }
}

function addId(ids: Set<string>, text: string): void {
  if (text.length > 0 && text.length <= ID_CHARS && ids.size < IDS_PER_SESSION) ids.add(text)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Plain text: it is an id as a whole, or none.
    return null
  }
}
