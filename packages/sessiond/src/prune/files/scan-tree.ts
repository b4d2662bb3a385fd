import { basename } from 'node:path'
import { decideByAge, type Pressure, type SeenEntry, weightOf } from '../../decide/decide-removals.ts'
import { type ActiveReferences, type ArtifactClass, LEFTOVER_PREFIX, type StayReason } from '../../model/artifact.ts'
import { compilePatterns, type Match, type PatternMatcher, type Progress } from './compile-patterns.ts'
import { type Look, look } from './look.ts'
import { measureFolder } from './measure-folder.ts'
import type { PlanLimits } from './messages.ts'
import { Place } from './place.ts'
import { isText, readFolder } from './read-folder.ts'
import { type Pending, walkFolders } from './walk-folders.ts'
import { groupRoots, type WalkRoot } from './walk-roots.ts'

/** An entry with what a removal checks again. */
export interface ScannedEntry extends SeenEntry {
  readonly isFolder: boolean
  readonly files: number
  readonly dev: bigint
  readonly ino: bigint
  readonly size: number
}

export interface ScanRequest {
  readonly rules: readonly ArtifactClass[]
  readonly active: ActiveReferences
  readonly nowMs: number
  readonly pressure: Pressure | null
  readonly limits: Pick<PlanLimits, 'entries' | 'entriesOfRule'>
  /** Throws when there is nobody left to scan for. */
  readonly mayGoOn: () => void
}

/** What was seen of one rule. */
export interface RuleTally {
  entries: number
  bytes: number
  /** Weight of those kept for a decision. */
  kept: number
  readonly stays: Partial<Record<StayReason, number>>
}

export interface Scan {
  /** Those a decision may concern; all of them are counted in `tallies`. */
  readonly entries: readonly ScannedEntry[]
  /** By rule. */
  readonly tallies: readonly RuleTally[]
  readonly isPartial: boolean
}

/** Folders below a root that are looked into; what lies deeper was made to lie deep. */
const MAX_DEPTH = 200
/** No path that a program would use is longer. */
const MAX_PATH_LENGTH = 4_096

/** Looks at everything the rules name. Reads only. */
export function scanTrees(request: ScanRequest): Scan {
  const scan = new TreeScan(request)
  const { roots, refused } = groupRoots(request.rules)
  for (const rule of refused) scan.stay(rule, 'unreadable')
  for (const root of roots) {
    if (!scan.isFull) scan.scanRoot(root)
  }
  const { entries, tallies, isPartial } = scan
  return { entries, tallies, isPartial }
}

interface Folder {
  readonly progress: Progress
  /** Below where the walk began, with a `/` at its end unless it is empty. */
  readonly path: string
  readonly depth: number
  /** It is one unit. */
  readonly unit: Match | null
}

class TreeScan {
  readonly entries: ScannedEntry[] = []
  readonly tallies: readonly RuleTally[]
  isFull = false
  isPartial = false
  #kept = 0
  readonly #request: ScanRequest

  constructor(request: ScanRequest) {
    this.#request = request
    this.tallies = request.rules.map(() => ({ entries: 0, bytes: 0, kept: 0, stays: {} }))
  }

  scanRoot({ root, rules }: WalkRoot): void {
    const matcher = compilePatterns(rules.map(({ prefix, patterns, rule }) => ({ prefix, patterns, keep: rule.keep })))
    new RootScan(this, this.#request, matcher, rules).scan(root)
  }

  stay(rule: number, reason: StayReason): void {
    const stays = this.tallies[rule]?.stays
    if (stays !== undefined) stays[reason] = (stays[reason] ?? 0) + 1
  }

  add(entry: ScannedEntry, rule: ArtifactClass, isKept: boolean): void {
    const tally = this.tallies[entry.rule]
    if (tally === undefined) return
    tally.entries += 1
    tally.bytes += entry.bytes
    const decided = decideByAge(entry, rule, this.#request)
    if (decided === 'undecided' && isKept) this.stay(entry.rule, 'kept-name')
    else if (decided === 'undecided') this.#keep(entry, tally)
    else if (decided !== 'stays') this.stay(entry.rule, decided)
  }

  /** A part decides soundly for itself: more entries would only add to what counts and sizes exceed. */
  #keep(entry: ScannedEntry, tally: RuleTally): void {
    const { entries, entriesOfRule } = this.#request.limits
    const weight = weightOf(entry)
    if (tally.kept < entriesOfRule) {
      tally.kept += weight
      this.#kept += weight
      this.entries.push(entry)
    } else this.isPartial = true
    if (this.#kept >= entries) {
      this.isFull = true
      this.isPartial = true
    }
  }
}

/** The scan below one root. */
class RootScan {
  readonly #scan: TreeScan
  readonly #request: ScanRequest
  readonly #matcher: PatternMatcher
  readonly #rules: WalkRoot['rules']

  constructor(scan: TreeScan, request: ScanRequest, matcher: PatternMatcher, rules: WalkRoot['rules']) {
    this.#scan = scan
    this.#request = request
    this.#matcher = matcher
    this.#rules = rules
  }

  scan(root: string): void {
    const place = new Place(root)
    const start: Folder = { progress: this.#matcher.start, path: '', depth: 0, unit: null }
    const how = place.enterRoot()
    if (how === 'refused') this.#refuse(start)
    if (how !== 'entered') return
    walkFolders(
      place,
      start,
      (folder) => (folder.unit === null ? this.#readFolder(folder, place) : this.#addUnit(folder, folder.unit, place)),
      (folder, why) => {
        if (why === 'refused') this.#refuse(folder)
      },
    )
  }

  #readFolder(folder: Folder, place: Place): Pending<Folder>[] {
    const below: Pending<Folder>[] = []
    try {
      for (const entry of readFolder()) {
        this.#request.mayGoOn()
        if (this.#scan.isFull) break
        if (!isText(entry.name)) this.#passOver(folder, entry.name, 'unreadable')
        else if (entry.isDirectory()) this.#noteFolder(folder, entry.name, below)
        else if (!entry.isFile()) this.#passOver(folder, entry.name, 'not-a-file')
        else this.#addFile(folder, entry.name, place)
      }
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error
      this.#refuse(folder)
    }
    return this.#scan.isFull ? [] : below
  }

  #noteFolder(folder: Folder, name: string, below: Pending<Folder>[]): void {
    const path = `${folder.path}${name}/`
    const depth = folder.depth + 1
    const unit = this.#matcher.matchFolder(folder.progress, ownName(name))
    const progress = unit === null ? this.#matcher.enter(folder.progress, name) : []
    if (unit === null && progress.length === 0) return
    const data = { progress, path, depth, unit }
    if (depth > MAX_DEPTH || path.length > MAX_PATH_LENGTH) this.#refuse(data)
    else below.push({ name, data })
  }

  #addFile(folder: Folder, name: string, { dev }: Place): void {
    const match = this.#matcher.matchFile(folder.progress, name)
    if (match === null) return
    const seen = look(name)
    // It vanished meanwhile.
    if (seen === null) return
    if (seen.kind !== 'file') this.#stay(match, 'not-a-file')
    else if (seen.dev !== dev) this.#stay(match, 'unreadable')
    else {
      const { mtimeMs, size, ino, links, diskBytes } = seen
      const linked = links > 1 ? { inode: `${dev}/${ino}`, links, bytes: diskBytes } : null
      const bytes = linked === null ? diskBytes : 0
      this.#add(match, folder.path + name, seen, { mtimeMs, size, bytes, linked, files: 1, isLeftover: false })
    }
  }

  #addUnit({ path }: Folder, match: Match, place: Place): [] {
    const seen = look('.')
    const measure = seen === null ? null : measureFolder(place, this.#request.mayGoOn)
    if (seen === null || measure === null) this.#stay(match, 'unreadable')
    else {
      const { newestMs: mtimeMs, size, bytes, files } = measure
      const isLeftover = basename(path).startsWith(LEFTOVER_PREFIX)
      this.#add(match, path.slice(0, -1), seen, { mtimeMs, size, bytes, linked: null, files, isLeftover })
    }
    return []
  }

  #add(
    { rule: index, captures, isKept }: Match,
    path: string,
    { kind, dev, ino }: Look,
    facts: Pick<ScannedEntry, 'mtimeMs' | 'size' | 'bytes' | 'linked' | 'files' | 'isLeftover'>,
  ): void {
    const at = this.#rules[index]
    if (at === undefined) return
    const { group, session, epoch, ids } = captures
    const own = {
      rule: at.index,
      path: path.slice(at.pathLength),
      group: at.rule.group ?? group,
      session,
      epoch,
      ids,
      isFolder: kind === 'folder',
      dev,
      ino,
    }
    this.#scan.add({ ...own, ...facts }, at.rule, isKept)
  }

  /** What bears a name of a class and is nothing that can go. */
  #passOver({ progress }: Folder, name: string, why: StayReason): void {
    const match = this.#matcher.matchFile(progress, name) ?? this.#matcher.matchFolder(progress, name)
    if (match !== null) this.#stay(match, why)
  }

  /** A folder that cannot be looked into counts for the first class that may have something in it. */
  #refuse({ unit, progress }: Folder): void {
    const rule = unit?.rule ?? progress[0]?.pattern.rule
    if (rule !== undefined) this.#stay({ rule }, 'unreadable')
  }

  #stay({ rule }: Pick<Match, 'rule'>, reason: StayReason): void {
    const at = this.#rules[rule]
    if (at !== undefined) this.#scan.stay(at.index, reason)
  }
}

/** The name a folder had before its removal began. */
function ownName(name: string): string {
  return name.startsWith(LEFTOVER_PREFIX) ? name.slice(LEFTOVER_PREFIX.length) : name
}
