import { resolve } from 'node:path'
import { SessiondError } from '../../model/errors.ts'
import { escapeLine, toSafeJson } from '../../model/escape.ts'
import { LAYOUTS } from '../../nanoclaw/installation.ts'
import { openInstallation } from '../../nanoclaw/open-installation.ts'
import {
  type InstallationDeps,
  type InstallationOutcome,
  type InstallationPlan,
  planInstallation,
  pruneInstallation,
} from '../../nanoclaw/prune-installation.ts'
import type { ReadProgress } from '../../nanoclaw/read-references.ts'
import type { AppliedRemovals } from '../../prune/artifact-files.ts'
import { createArtifactFiles } from '../../prune/files/create-artifact-files.ts'
import { describeError } from '../../prune/pruning-desk.ts'
import { lineOfRemoval, summarisePlan, sumOf } from '../../prune/summarise-plan.ts'
import { realWorld } from '../../world.ts'
import type { CliContext } from '../cli-context.ts'
import { EXIT } from '../exit-codes.ts'
import { formatBytes } from '../format/bytes.ts'
import { listSome } from '../format/list-some.ts'
import { describeStays, formatPrunePlan } from '../format/prune-plan.ts'
import { formatRemoval } from '../format/pruning.ts'
import { formatTable } from '../format/table.ts'

export interface PruneLayout {
  readonly layout: string
  readonly root: string
  readonly apply: boolean
  readonly trash: boolean
  readonly json: boolean
  /** Every entry of a dry run, not only their sums. */
  readonly list: boolean
  /** Session folders that are not on record go too, once they are old. */
  readonly orphans?: boolean
}

/** Between two lines of progress. */
const LOOK_MS = 100

/** Shows what an installation of NanoClaw can do without, or removes it. */
export async function pruneLayout(context: CliContext, request: PruneLayout): Promise<void> {
  const layout = LAYOUTS.find((known) => known === request.layout)
  if (layout === undefined) {
    throw new SessiondError('BAD_REQUEST', `The layout ${request.layout} is not known.`, {
      fields: { field: 'layout' },
      cure: `Name one of ${LAYOUTS.join(', ')}.`,
    })
  }
  const world = { ...realWorld, now: () => context.now() }
  await using reader = await openInstallation(resolve(context.cwd, request.root), layout, world)
  const files = createArtifactFiles({ world })
  const interrupted = context.handleInterrupt()
  const line = new ProgressLine(context, request)
  const onRead = ({ read, of }: ReadProgress) => line.show(`${read} of ${of} sessions read`)
  const removesOrphans = request.orphans === true
  const deps = { reader, layout, files, world, removesOrphans, interrupted, onRead }
  try {
    await (request.apply ? carryOut(context, request, deps, line) : showPlan(context, request, deps, line))
  } catch (error) {
    line.end()
    if (!interrupted.aborted || error !== interrupted.reason) throw error
    if (request.json) context.out(`${toSafeJson({ layout, plan: null, isDone: false })}\n`)
    context.err('Stopped before its end: nothing was removed.\n')
  } finally {
    await files.close()
  }
  if (interrupted.aborted) context.setExitCode(EXIT.interrupted)
}

/** How far it is, for a person who waits: one line of a terminal, written over and over. */
class ProgressLine {
  readonly #context: CliContext
  readonly #isShown: boolean
  #shownAtMs = Number.NEGATIVE_INFINITY

  constructor(context: CliContext, { json }: PruneLayout) {
    this.#context = context
    this.#isShown = !json && context.isErrTerminal
  }

  show(words: string): void {
    const nowMs = this.#context.now()
    if (!this.#isShown || nowMs - this.#shownAtMs < LOOK_MS) return
    this.#shownAtMs = nowMs
    this.#context.err(`\r\u001b[K${words}`)
  }

  end(): void {
    if (this.#isShown) this.#context.err('\r\u001b[K')
  }
}

async function showPlan(
  context: CliContext,
  request: PruneLayout,
  deps: InstallationDeps,
  line: ProgressLine,
): Promise<void> {
  const plan = await planInstallation(deps)
  line.end()
  printPlan(context, request, plan)
}

function printPlan(
  context: CliContext,
  { layout, json, list }: PruneLayout,
  { plan, orphans }: InstallationPlan,
): void {
  if (!json) {
    if (list) {
      for (const removal of plan.removals) context.out(formatRemoval(lineOfRemoval(plan, removal)))
      context.out('\n')
    }
    context.out(
      `${formatPrunePlan(plan)}${describeOrphans(orphans)}\nDry run: nothing changed. --apply carries it out.\n`,
    )
    return
  }
  // Piece by piece: all of it may be more than a string holds.
  context.out(
    `{"layout":${toSafeJson(layout)},"plan":${toSafeJson(summarisePlan(plan))},"orphans":${toSafeJson(orphans)}`,
  )
  context.out(',"removals":[')
  let comma = ''
  for (const removal of plan.removals) {
    context.out(`${comma}${toSafeJson(lineOfRemoval(plan, removal))}`)
    comma = ','
  }
  context.out(']}\n')
}

async function carryOut(
  context: CliContext,
  request: PruneLayout,
  deps: InstallationDeps,
  line: ProgressLine,
): Promise<void> {
  const onProgress = (applied: AppliedRemovals) => line.show(describeProgress(applied))
  const onWait = () => context.err('Another pruning is under way: waiting for its end.\n')
  const outcome = await pruneInstallation(deps, { putsAside: request.trash, onWait, onProgress })
  line.end()
  context.out(request.json ? `${toSafeJson(outcomeForPrograms(request, outcome))}\n` : describeOutcome(outcome))
  if (outcome.error !== null) throw outcome.error
}

function outcomeForPrograms({ layout }: PruneLayout, outcome: InstallationOutcome) {
  const { plan, orphans, applied, trash, trashFolder } = outcome
  const error = outcome.error === null ? null : describeError(outcome.error)
  return { layout, plan: summarisePlan(plan), orphans, applied, isDone: isDone(outcome), error, trash, trashFolder }
}

function describeProgress({ next, classes }: AppliedRemovals): string {
  const { entries, bytes } = sumOf(classes.map(({ removed }) => removed))
  return `${next} looked at, ${entries} gone, ${formatBytes(bytes)}`
}

function describeOutcome(outcome: InstallationOutcome): string {
  const { plan, orphans, applied, trash, trashFolder } = outcome
  const rows = applied.classes
    .filter(({ removed, stays }) => removed.entries > 0 || describeStays(stays) !== '')
    .map(({ name, removed, stays }) => [
      name,
      String(removed.entries),
      formatBytes(removed.bytes),
      describeStays(stays) || '-',
    ])
  const { entries, bytes } = sumOf(applied.classes.map(({ removed }) => removed))
  const verb = trashFolder === null ? 'removed' : `put aside in ${escapeLine(trashFolder)}`
  const lines = [
    `${entries} of ${plan.removals.length} entries, ${formatBytes(bytes)} ${verb}`,
    ...(trash.entries === 0 ? [] : [`from the trash: ${trash.entries} entries, ${formatBytes(trash.bytes)}`]),
    ...(isDone(outcome) || outcome.error !== null ? [] : ['Stopped before its end: the next pruning goes on.']),
    ...(plan.isPartial ? ['There is more than one plan holds: prune again.'] : []),
  ]
  return `${formatTable(['CLASS', 'WENT', 'BYTES', 'STAYED'], rows)}${lines.join('\n')}\n${describeOrphans(orphans)}`
}

function isDone({ plan, applied, error }: InstallationOutcome): boolean {
  return error === null && applied.next >= plan.removals.length
}

function describeOrphans(orphans: readonly string[]): string {
  if (orphans.length === 0) return ''
  const some = listSome(orphans.map((place) => escapeLine(place, 120)))
  return `Session folders without a session on record: ${some}. They stay unless --orphans is given.\n`
}
