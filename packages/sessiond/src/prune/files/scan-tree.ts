import { basename } from 'node:path'
import { namesOf } from '../../config/artifact-pattern.ts'
import { sinceOf } from '../../decide/age-of-entry.ts'
import { decideByAge, type LeftOut, type RemovalFacts } from '../../decide/decide-removals.ts'
import type { SeenEntry } from '../../decide/seen-entry.ts'
import { type ArtifactClass, LEFTOVER_PREFIX, ownName, type StayReason } from '../../model/artifact.ts'
import { compilePatterns, type Match, type PatternMatcher, type Progress } from './compile-patterns.ts'
import { EntryPool } from './entry-pool.ts'
import { type EntryName, type Look, look } from './look.ts'
import { type FolderMeasure, LOOKS_OF_FOLDER, type Looks, measureFolder } from './measure-folder.ts'
import type { PlanLimits } from './messages.ts'
import { readMountPoints } from './mount-points.ts'
import { type Entering, Place } from './place.ts'
import { isText, readFolder } from './read-folder.ts'
import { type FolderWalk, walkFolders } from './walk-folders.ts'
import { groupRoots, type WalkRoot } from './walk-roots.ts'

/** An entry with what a removal checks again. */
export interface ScannedEntry extends SeenEntry {
  readonly isFolder: boolean
  readonly files: number
  readonly dev: Look['dev']
  readonly ino: Look['ino']
  readonly mtimeMs: number
  readonly size: number
  /** What it took to look at all of it. */
  readonly looks: number
}

export interface ScanRequest extends Pick<RemovalFacts<SeenEntry>, 'rules' | 'active' | 'nowMs' | 'pressure'> {
  readonly limits: Pick<PlanLimits, 'entries' | 'looks'>
}

/** What was seen of one rule. */
export interface RuleTally {
  entries: number
  bytes: number
  readonly stays: Partial<Record<StayReason, number>>
}

/** Folders below a root that are looked into; what lies deeper was made to lie deep. */
const MAX_DEPTH = 200
/** No path that a program would use is longer. */
const MAX_PATH_LENGTH = 4_096

/** Entries looked at between two pauses. */
const PIECE = 256

/** What nobody's session has in it may be a large tree, and no run moves it about. */
const LOOKS_OF_OTHERS = 10

interface Folder {
  readonly progress: Progress
  /** Below where the walk began, with a `/` at its end unless it is empty. */
  readonly path: string
  readonly depth: number
  /** It is one unit. */
  readonly unit: Match | null
}

/** What the rules name, looked at with pauses: whoever ends it there has a part. Reads only. */
export class TreeScan {
  /** By rule. */
  readonly tallies: readonly RuleTally[]
  readonly #request: ScanRequest
  readonly #pool: EntryPool<ScannedEntry>

  constructor(request: ScanRequest) {
    this.#request = request
    this.tallies = request.rules.map(() => ({ entries: 0, bytes: 0, stays: {} }))
    this.#pool = new EntryPool(request.limits.entries, request)
  }

  /** Those a decision may concern; all of them are counted in `tallies`. */
  get entries(): readonly ScannedEntry[] {
    return this.#pool.entries
  }

  /** What there was no room for. */
  get leftOut(): ReadonlyMap<string, LeftOut> {
    return this.#pool.leftOut
  }

  *steps(): Generator<void, void> {
    const mountPoints = readMountPoints()
    const { roots, refused } = groupRoots(this.#request.rules, mountPoints)
    for (const rule of refused) this.stay(rule, 'unreadable')
    for (const root of roots) {
      yield* new RootScan(this, this.#request, root, new Place(root.root, mountPoints)).steps()
    }
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
    else if (decided === 'undecided') this.#pool.add(entry)
    else if (decided !== 'stays') this.stay(entry.rule, decided)
  }
}

/** The scan below one root. */
class RootScan implements FolderWalk<Folder> {
  readonly isOver = false
  readonly findsBack = true
  readonly #scan: TreeScan
  readonly #request: ScanRequest
  readonly #matcher: PatternMatcher
  readonly #rules: WalkRoot['rules']
  /** Names of folders that the patterns of each rule spell out. */
  readonly #spelt: readonly ReadonlySet<string>[]
  readonly #place: Place
  #looked = 0
  /** Whose folders are gone through, and what there is left for that. */
  #session: string | null = null
  readonly #looks: Looks

  constructor(scan: TreeScan, request: ScanRequest, { rules }: WalkRoot, place: Place) {
    this.#scan = scan
    this.#request = request
    this.#matcher = compilePatterns(rules.map(({ prefix, rule: { patterns, keep } }) => ({ prefix, patterns, keep })))
    this.#rules = rules
    this.#spelt = rules.map(({ rule }) => new Set(rule.patterns.flatMap(namesOf)))
    this.#place = place
    this.#looks = { left: this.#looksOf(null) }
  }

  *steps(): Generator<void, void> {
    const start: Folder = { progress: this.#matcher.start, path: '', depth: 0, unit: null }
    const how = this.#place.enterRoot()
    if (how === 'entered') yield* walkFolders(this.#place, start, this)
    else this.refuse(start, how)
  }

  *read(folder: Folder, room: number): Generator<void, EntryName[]> {
    const below: EntryName[] = []
    yield
    if (!this.#mayLook(folder)) {
      this.refuse(folder, 'refused')
      return below
    }
    if (folder.unit !== null) {
      yield* this.#addUnit(folder, folder.unit)
      return below
    }
    try {
      for (const entry of readFolder()) {
        this.#looked += 1
        this.#looks.left -= 1
        if (this.#looked % PIECE === 0) yield
        if (!isText(entry.name)) this.#passOver(folder, entry.name, 'unreadable')
        else if (entry.isDirectory()) this.#noteFolder(folder, entry.name, below, room)
        else if (!entry.isFile()) this.#passOver(folder, entry.name, 'not-a-file')
        else this.#addFile(folder, entry.name)
      }
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error
      this.refuse(folder, 'refused')
    }
    return below
  }

  below(folder: Folder, name: EntryName): Folder {
    return this.#folderIn(folder, String(name))
  }

  /** A folder that cannot be looked into counts for the first class that may have something in it. */
  refuse({ unit, progress }: Folder, how: Exclude<Entering, 'entered'> | 'lost'): void {
    const rule = unit?.rule ?? progress[0]?.pattern.rule
    // What was in a lost one is counted already.
    if (rule === undefined || how === 'missing' || how === 'lost') return
    this.#stay({ rule }, how === 'elsewhere' ? how : 'unreadable')
  }

  /** A folder that has been begun is read to its end. */
  #mayLook({ unit, progress }: Folder): boolean {
    const session = unit?.captures.session ?? progress[0]?.captures.session ?? null
    if (session !== this.#session) this.#looks.left = this.#looksOf(session)
    this.#session = session
    // A unit pays for itself.
    if (unit === null) this.#looks.left -= LOOKS_OF_FOLDER
    return this.#looks.left >= 0
  }

  /** Bounded: who moves folders about in front of a plan would have it to himself for ever. */
  #looksOf(session: string | null): number {
    return this.#request.limits.looks * (session === null ? LOOKS_OF_OTHERS : 1)
  }

  #folderIn(folder: Folder, name: string): Folder {
    const unit = this.#matcher.matchFolder(folder.progress, ownName(name))
    const progress = unit === null ? this.#matcher.enter(folder.progress, name) : []
    return { progress, path: `${folder.path}${name}/`, depth: folder.depth + 1, unit }
  }

  /** Only its name: what else there is to it is found again, which is quick, when its turn comes. */
  #noteFolder(folder: Folder, name: string, below: EntryName[], room: number): void {
    const found = this.#folderIn(folder, name)
    if (found.unit === null && found.progress.length === 0) return
    const isTooMuch = found.depth > MAX_DEPTH || found.path.length > MAX_PATH_LENGTH || below.length >= room
    if (isTooMuch) this.refuse(found, 'refused')
    else below.push(name)
  }

  #addFile(folder: Folder, name: string): void {
    const match = this.#matcher.matchFile(folder.progress, name)
    if (match === null) return
    const seen = look(name)
    // It vanished meanwhile.
    if (seen === null) return
    if (seen.kind !== 'file') this.#stay(match, 'not-a-file')
    else if (seen.dev !== this.#place.dev) this.#stay(match, 'elsewhere')
    else this.#add(match, folder.path + name, seen, null)
  }

  *#addUnit({ path }: Folder, match: Match): Generator<void, void> {
    const { ageBy } = this.#ruleOf(match).rule
    const { nowMs } = this.#request
    const seen = look('.')
    const before = this.#looks.left
    const measure = seen && (yield* measureFolder(this.#place, (each) => sinceOf(each, ageBy, nowMs), this.#looks))
    if (seen === null || measure === null) this.#stay(match, 'unreadable')
    else this.#add(match, path.slice(0, -1), seen, { ...measure, looks: before - this.#looks.left })
  }

  /** One of thousands, mostly: it is put together in one go. */
  #add(match: Match, path: string, seen: Look, unit: (FolderMeasure & Pick<ScannedEntry, 'looks'>) | null): void {
    const { index, rule, pathLength } = this.#ruleOf(match)
    const { group, session, epoch } = match.captures
    const ownPath = pathLength === 0 ? path : path.slice(pathLength)
    const hasIds = match.captures.ids.length > 0 || !rule.protects.includes('id')
    const ids = hasIds ? match.captures.ids : idsIn(ownPath, match, this.#spelt[match.rule])
    const { dev, ino, links, diskBytes } = seen
    const isLinked = unit === null && links > 1
    const entry: ScannedEntry = {
      rule: index,
      path: ownPath,
      group: rule.group ?? group,
      session,
      epoch,
      ids,
      isFolder: unit !== null,
      dev,
      ino,
      mtimeMs: unit?.newestMs ?? seen.mtimeMs,
      sinceMs: unit?.sinceMs ?? sinceOf(seen, rule.ageBy, this.#request.nowMs),
      size: unit?.size ?? seen.size,
      bytes: unit?.bytes ?? (isLinked ? 0 : diskBytes),
      linked: isLinked ? { inode: `${dev}/${ino}`, links, bytes: diskBytes } : null,
      files: unit?.files ?? 1,
      looks: unit?.looks ?? 1,
      isLeftover: unit !== null && basename(path).startsWith(LEFTOVER_PREFIX),
    }
    this.#scan.add(entry, rule, match.isKept)
  }

  /** What bears a name of a class and is nothing that can go. */
  #passOver({ progress }: Folder, name: string, why: StayReason): void {
    const match = this.#matcher.matchFile(progress, name) ?? this.#matcher.matchFolder(progress, name)
    if (match !== null) this.#stay(match, why)
  }

  #stay(match: Pick<Match, 'rule'>, reason: StayReason): void {
    this.#scan.stay(this.#ruleOf(match).index, reason)
  }

  #ruleOf({ rule }: Pick<Match, 'rule'>): WalkRoot['rules'][number] {
    const found = this.#rules[rule]
    if (found === undefined) throw new RangeError(`The patterns have no rule ${rule}`)
    return found
  }
}

/** Names from the end of a path that may be ids: what agents keep of one conversation lies no deeper in its folder. */
const ID_NAMES = 4

/**
 * Where a pattern captures no id the names that it leaves open may be some: of a file's each part that ends before a dot.
 * What it spells out is no id, whatever a session calls by the same word.
 */
function idsIn(path: string, { captures }: Match, spelt: ReadonlySet<string> | undefined): readonly string[] {
  const folders = path.split('/').slice(-ID_NAMES)
  const name = ownName(folders.pop() ?? '')
  const open = folders.filter(
    (each) => spelt?.has(each) !== true && each !== captures.group && each !== captures.session,
  )
  const stems = name.includes('.') ? [name.slice(0, name.indexOf('.')), name.slice(0, name.lastIndexOf('.'))] : []
  return [...new Set([...open, name, ...stems])].filter((id) => id !== '')
}
