import type { DecidedRemoval } from '../../decide/decide-removals.ts'
import type { Pressure } from '../../decide/decide-under-pressure.ts'
import type { ArtifactClass, PlannedRemoval, RemovalReason } from '../../model/artifact.ts'
import type { ExactNumber } from './look.ts'
import type { ChunkOwner, RemovalChunk } from './messages.ts'
import type { ScannedEntry } from './scan-tree.ts'

const BOUNDS = ['age', 'count', 'bytes', 'highWater'] as const satisfies readonly RemovalReason['bound'][]

/** In no name: one text of many is far quicker on the way than many texts. */
const SEPARATOR = '\0'
const NO_IDS: readonly string[] = []

/** Packs removals for the way from the child to the host. */
export function packRemovals(removals: readonly DecidedRemoval<ScannedEntry>[]): RemovalChunk {
  const count = removals.length
  const owners: ChunkOwner[] = []
  const known = new Map<string | null, number>()
  const ids: string[] = []
  const paths: string[] = []
  const chunk = {
    rules: new Uint32Array(count),
    isFolder: new Uint8Array(count),
    bytes: new Float64Array(count),
    files: new Float64Array(count),
    owners,
    ownerOf: new Uint32Array(count),
    idCounts: new Uint8Array(count),
    bounds: new Uint8Array(count),
    figures: new Float64Array(count),
    isLeftover: new Uint8Array(count),
    devs: new Float64Array(count),
    inos: new Float64Array(count),
    largeDevs: new Map<number, bigint>(),
    largeInos: new Map<number, bigint>(),
    mtimesMs: new Float64Array(count),
    sizes: new Float64Array(count),
    looks: new Float64Array(count),
  }
  for (const [index, { entry, reason, bytes }] of removals.entries()) {
    chunk.rules[index] = entry.rule
    paths.push(entry.path)
    chunk.isFolder[index] = Number(entry.isFolder)
    chunk.bytes[index] = bytes
    chunk.files[index] = entry.files
    chunk.ownerOf[index] = indexOfOwner(entry, owners, known)
    for (const id of entry.ids) ids.push(id)
    chunk.idCounts[index] = entry.ids.length
    chunk.bounds[index] = BOUNDS.indexOf(reason.bound)
    chunk.figures[index] = figureOf(reason)
    chunk.isLeftover[index] = Number(entry.isLeftover)
    if (typeof entry.dev === 'bigint') chunk.largeDevs.set(index, entry.dev)
    else chunk.devs[index] = entry.dev
    if (typeof entry.ino === 'bigint') chunk.largeInos.set(index, entry.ino)
    else chunk.inos[index] = entry.ino
    chunk.mtimesMs[index] = entry.mtimeMs
    chunk.sizes[index] = entry.size
    chunk.looks[index] = entry.looks
  }
  return { ...chunk, paths: paths.join(SEPARATOR), ids: ids.join(SEPARATOR) }
}

/** What was packed, as the plan has it. */
export function* unpackRemovals(
  chunk: RemovalChunk,
  rules: readonly ArtifactClass[],
  pressure: Pressure | null,
): Iterable<PlannedRemoval> {
  let idsBefore = 0
  let dev: { number: ExactNumber; text: string } = { number: -1, text: '' }
  const paths = chunk.paths.split(SEPARATOR)
  const allIds = chunk.ids.split(SEPARATOR)
  for (let index = 0; index < chunk.rules.length; index += 1) {
    const path = paths[index] ?? ''
    const ruleIndex = chunk.rules[index] ?? 0
    const rule = rules[ruleIndex]
    const owner = chunk.owners[chunk.ownerOf[index] ?? 0]
    const number = chunk.largeDevs.get(index) ?? chunk.devs[index] ?? 0
    if (rule === undefined || owner === undefined) throw new RangeError('The pruner answered with another plan')
    if (number !== dev.number) dev = { number, text: String(number) }
    const idsUntil = idsBefore + (chunk.idCounts[index] ?? 0)
    const ids = idsUntil === idsBefore ? NO_IDS : allIds.slice(idsBefore, idsUntil)
    idsBefore = idsUntil
    yield {
      className: rule.name,
      rule: ruleIndex,
      path,
      isFolder: chunk.isFolder[index] === 1,
      bytes: chunk.bytes[index] ?? 0,
      files: chunk.files[index] ?? 0,
      group: owner.group,
      session: owner.session,
      epoch: owner.epoch,
      ids,
      reason: reasonOf(chunk, index, rule, pressure),
      identity: {
        dev: dev.text,
        ino: String(chunk.largeInos.get(index) ?? chunk.inos[index] ?? 0),
        mtimeMs: chunk.mtimesMs[index] ?? 0,
        bytes: chunk.sizes[index] ?? 0,
        looks: chunk.looks[index] ?? 0,
      },
    }
  }
}

/** A session has many entries, and mostly one run's: each owner is told once a chunk, or a few times. */
function indexOfOwner(
  { group, session, epoch }: ScannedEntry,
  owners: ChunkOwner[],
  known: Map<string | null, number>,
): number {
  const index = known.get(session)
  const owner = index === undefined ? undefined : owners[index]
  if (index !== undefined && owner?.group === group && owner.epoch === epoch) return index
  known.set(session, owners.length)
  return owners.push({ group, session, epoch }) - 1
}

function figureOf(reason: RemovalReason): number {
  if (reason.bound === 'age') return reason.ageMs
  if (reason.bound === 'count') return reason.rank
  return reason.bound === 'bytes' ? reason.bytesBefore : 0
}

function reasonOf(chunk: RemovalChunk, index: number, rule: ArtifactClass, pressure: Pressure | null): RemovalReason {
  const bound = BOUNDS[chunk.bounds[index] ?? 0]
  const figure = chunk.figures[index] ?? 0
  if (bound === 'count') return { bound, rank: figure, maxCount: rule.maxCount ?? 0 }
  if (bound === 'bytes') return { bound, bytesBefore: figure, maxBytes: rule.maxBytes ?? 0 }
  if (bound === 'highWater') {
    return { bound, usedShare: pressure?.usedShare ?? 0, highWaterShare: pressure?.highWaterShare ?? 0 }
  }
  return { bound: 'age', ageMs: figure, maxAgeMs: chunk.isLeftover[index] === 1 ? 0 : (rule.maxAgeMs ?? 0) }
}
