/** A file, or a folder that is one unit, as it was seen. */
export interface SeenEntry {
  /** Index into the rules. */
  readonly rule: number
  /** Relative to the rule's root. */
  readonly path: string
  readonly group: string | null
  readonly session: string | null
  readonly epoch: string | null
  readonly ids: readonly string[]
  /** From when on its age counts. */
  readonly sinceMs: number
  /** Given back when it alone is removed. */
  readonly bytes: number
  /** A file with further names elsewhere: its bytes come back with the last of them. */
  readonly linked: { readonly inode: string; readonly links: number; readonly bytes: number } | null
  /** A removal had begun and was broken off: what is left of it is no use to anybody. */
  readonly isLeftover: boolean
}

/** Characters that an entry may have for one; more of them, which enemies make, count as several. */
const CHARS = 256
/** What a text takes besides its characters. */
const TEXT_CHARS = 40

/** For how many entries of common size one counts in memory. */
export function weightOf({ path, ids }: Pick<SeenEntry, 'path' | 'ids'>): number {
  let chars = path.length
  for (const id of ids) chars += id.length + TEXT_CHARS
  return Math.ceil(chars / CHARS)
}

/** Entries that share one count and one size: of the same rule and group. */
export function seriesOf({ rule, group }: Pick<SeenEntry, 'rule' | 'group'>): string {
  return `${rule}/${group ?? ''}`
}

/** Tells owners apart, each by a number: what one session, or group where no session shows, has of one rule. */
export function newOwners(): (entry: Pick<SeenEntry, 'rule' | 'group' | 'session'>) => number {
  const owners = new Map<string, number>()
  let last: { readonly of: Pick<SeenEntry, 'rule' | 'group' | 'session'>; readonly owner: number } | null = null
  return (of) => {
    // Most come after one of their own.
    if (last?.of.rule === of.rule && last.of.session === of.session && last.of.group === of.group) return last.owner
    const key = `${seriesOf(of)}/${of.session ?? ''}`
    const owner = owners.get(key) ?? owners.size
    owners.set(key, owner)
    last = { of, owner }
    return owner
  }
}

/** Of files with several names those that are here, by inode. */
export function namesByInode<Entry extends Pick<SeenEntry, 'linked'>>(
  entries: Iterable<Entry>,
): ReadonlyMap<string, readonly Entry[]> {
  const names = new Map<string, Entry[]>()
  for (const entry of entries) {
    if (entry.linked === null) continue
    const known = names.get(entry.linked.inode)
    if (known === undefined) names.set(entry.linked.inode, [entry])
    else known.push(entry)
  }
  return names
}
