import { setImmediate } from 'node:timers/promises'
import { decideRemovals, isImplausible } from '../../decide/decide-removals.ts'
import { addStays } from '../artifact-files.ts'
import type { PruneAnswer, PruneRequest, RemovalItem, RemovalOutcome } from './messages.ts'
import { packRemovals } from './removal-chunks.ts'
import { EntryRemover } from './remove-entries.ts'
import { TreeScan } from './scan-tree.ts'

/**
 * The pruner: a process of its own, because it moves its working directory, which a process has only one of, and
 * because what it does blocks. It does one thing after another.
 */

/** Removals told to the host at once. */
const CHUNK = 8_192
/** Between two looks at whether to stop. */
const SLICE_MS = 20

const hostPid = process.ppid
let isStopped = false
/** Null: there is no reason to rest. */
let rest: PromiseWithResolvers<void> | null = null

/** A newer host may already be pruning; whoever has no host any more must not go on beside it. */
function assertHostAlive(): void {
  if (process.ppid !== hostPid) process.exit(0)
}

let beganMs = performance.now()

/** Carries work out with a look at the host now and then. Null: it is to stop, and the work is broken off. */
async function paced<Result>(work: Generator<unknown, Result>): Promise<Result | null> {
  for (;;) {
    if (performance.now() - beganMs >= SLICE_MS) {
      await setImmediate()
      while (rest !== null) await rest.promise
      beganMs = performance.now()
    }
    assertHostAlive()
    if (isStopped) {
      // Lets go of the folder that is being read.
      work.return(undefined as Result)
      return null
    }
    const step = work.next()
    if (step.done === true) return step.value
  }
}

async function plan(request: PruneRequest & { kind: 'plan' }): Promise<void> {
  const { rules, active, nowMs, pressure, limits } = request
  // What need not go early need not be kept for a decision either.
  const isMoreWanted = pressure !== null && pressure.wantedBytes > 0
  const scan = new TreeScan({ rules, active, nowMs, pressure: isMoreWanted ? pressure : null, limits })
  await paced(scan.steps())
  const isStoppedEarly = isStopped
  const entriesByRule = scan.tallies.map(({ entries }) => entries)
  if (isImplausible(rules, entriesByRule, active)) return send({ kind: 'implausible' })
  const { entries, leftOut } = scan
  const decided = decideRemovals({ entries, leftOut, rules, active, nowMs, pressure, maxRemovals: limits.removals })
  for (let from = 0; from < decided.removals.length; from += CHUNK) {
    await send({ kind: 'removals', chunk: packRemovals(decided.removals.slice(from, from + CHUNK)) })
  }
  const tallies = scan.tallies.map(({ entries, bytes, stays }, rule) => {
    return { entries, bytes, stays: addStays(stays, decided.stays[rule] ?? {}) }
  })
  // What was left out is worth less than what was kept: where nothing of that goes, nothing of this would.
  const hasMore = leftOut.size > 0 && decided.removals.length > 0
  await send({ kind: 'planned', tallies, isPartial: isStoppedEarly || hasMore || decided.isPartial })
}

async function apply({ items, trash, checks }: PruneRequest & { kind: 'apply' }): Promise<void> {
  const remover = new EntryRemover({ trash, checks })
  const outcomes: (RemovalOutcome | null)[] = items.map(() => null)
  for (const index of inOrderOfFolders(items)) {
    const item = items[index]
    if (item !== undefined) outcomes[index] = await paced(remover.remove(item))
    if (isStopped) break
  }
  await send({ kind: 'applied', outcomes })
}

function inOrderOfFolders(items: readonly RemovalItem[]): readonly number[] {
  const folders = items.map(({ root, path }) => `${root}\0${path.slice(0, path.lastIndexOf('/') + 1)}`)
  const order = [...items.keys()]
  // Stable: within a folder the plan's order stands.
  return order.sort((a, b) => compare(folders[a] ?? '', folders[b] ?? ''))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Resolves when it is on its way to the host and no more in this process's memory. */
function send(answer: PruneAnswer): Promise<void> {
  return new Promise((resolve) => process.send?.(answer, () => resolve()))
}

// Ctrl-C reaches the whole process group; the host ends what is under way in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (request: PruneRequest) => {
  switch (request.kind) {
    // What fails here is a bug or a lack of memory: the process ends, and the host reports that.
    case 'plan':
      return void plan(request)
    case 'apply':
      return void apply(request)
    case 'pause':
      if (!isStopped) rest ??= Promise.withResolvers()
      return
    case 'stop':
      isStopped = true
      return wake()
    case 'resume':
      return wake()
  }
})

function wake(): void {
  rest?.resolve()
  rest = null
}

void send({ kind: 'ready' })
