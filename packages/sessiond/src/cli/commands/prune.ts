import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { Pruning, PruningPlan, PruningRequest } from '../../api.ts'
import { ERROR_CATALOGUE, type ErrorCode, SessiondError } from '../../model/errors.ts'
import { escapeText, toSafeJson } from '../../model/escape.ts'
import type { PruningSource } from '../../prune/pruning-source.ts'
import { readHolder } from '../../store/host-lock.ts'
import { realWorld } from '../../world.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { EXIT } from '../exit-codes.ts'
import { findConfig } from '../find-config.ts'
import { connect } from '../find-host.ts'
import { formatProgress, formatPruning, formatPruningPlan, formatRemoval } from '../format/pruning.ts'
import { parseGroupArgument } from '../session-argument.ts'

interface PruneOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly list?: boolean
  readonly trash?: boolean
  readonly class?: readonly string[]
  readonly group?: string
  readonly layout?: 'nanoclaw-v1' | 'nanoclaw-v2'
  readonly apply?: boolean
  readonly orphans?: boolean
}

/** Between two looks at a pruning that is under way. */
const LOOK_MS = 300

/** `sessiond prune`: shows what retention would remove, or removes it; with a host running or without one. */
export function addPrune(program: Command, context: CliContext): void {
  addCommand(program, 'prune', 'remove what is past its retention; --dry-run shows what that is, and why')
    .argument('[root]', 'with --layout: the root folder of that installation')
    .option('--dry-run', 'plan and show, change nothing')
    .option('--list', 'with a dry run: every entry too, one a line')
    .option('--trash', 'put what goes aside, in trash/ of the data directory, instead of removing it')
    .option('--class <class>', 'of this class alone; may be repeated', collect)
    .option('--group <group>', 'of this group alone')
    .addOption(
      new Option('--layout <layout>', 'clean an installation of NanoClaw instead').choices([
        'nanoclaw-v1',
        'nanoclaw-v2',
      ]),
    )
    .option('--apply', 'with --layout: carry it out (without, it is a dry run)')
    .option('--orphans', 'with --layout: session folders that are not on record too, once they are old')
    .action(async (root: string | undefined, options: PruneOptions) => {
      if (options.layout !== undefined) return pruneOther(context, root, { ...options, layout: options.layout })
      if (root !== undefined) throw withoutLayout('A root folder')
      if (options.apply === true || options.orphans === true) {
        throw withoutLayout(options.apply === true ? '--apply' : '--orphans')
      }
      if (options.list === true && options.dryRun !== true) {
        throw listAlone('Add --dry-run to see what would go, or leave --list away to have it removed.')
      }
      await prune(context, options)
    })
}

async function prune(context: CliContext, options: PruneOptions): Promise<void> {
  // It becomes part of a path.
  const group = options.group === undefined ? undefined : parseGroupArgument(options.group)
  const request = { ...(options.class ? { classes: options.class } : {}), ...(group === undefined ? {} : { group }) }
  await using source = await openSource(context, options)
  if (options.dryRun === true) await showPlan(context, options, source, request)
  else await carryOut(context, options, source, request)
}

/** The host that runs, or the data directory itself when none does; `interrupted` as far as that ends anything. */
type Source = PruningSource & AsyncDisposable & { readonly interrupted?: AbortSignal }

async function openSource(context: CliContext, options: PruneOptions): Promise<Source> {
  const found = await findConfig(options, context)
  const { config } = found
  const { isHeld, holder } = await readHolder(config.dataDir)
  // Another pruning without a host, or one that does not say what it is, is none to ask: it is waited for.
  if (isHeld && holder?.role === 'host') {
    const client = await connect(found)
    return Object.assign(client, { [Symbol.asyncDispose]: async () => {} })
  }
  // Loaded here alone: with a host running none of it is needed.
  const { openHouse, openHouseReadOnly } = await import('../../prune/open-house.ts')
  const onError = (error: unknown) => {
    // What has a code is told as the outcome.
    if (!(error instanceof SessiondError))
      context.err(`${escapeText(error instanceof Error ? String(error.stack) : String(error))}\n`)
  }
  const asked = { config, world: realWorld, onError }
  if (options.dryRun === true) return openHouseReadOnly(asked)
  return openHouse(asked, {
    // A host that is asked goes on by itself; here, what is under way ends at the next batch.
    takeInterrupts: () => context.handleInterrupt(),
    onWait: () => context.err('Another pruning is under way: waiting for its end.\n'),
  })
}

async function showPlan(
  context: CliContext,
  { json, list }: PruneOptions,
  source: PruningSource,
  request: PruningRequest,
): Promise<void> {
  const plan = await source.planPruning(request)
  if (json === true) {
    // Page by page: all of it may be more than a string holds.
    context.out(`{"plan":${toSafeJson(plan)},"removals":[`)
    let comma = ''
    await eachRemoval(source, plan, (removal) => {
      context.out(`${comma}${toSafeJson(removal)}`)
      comma = ','
    })
    context.out(']}\n')
    return
  }
  if (list === true) {
    await eachRemoval(source, plan, (removal) => context.out(formatRemoval(removal)))
    context.out('\n')
  } else {
    // Read to its end: the host need not keep it any longer for this command.
    await source.listPlannedRemovals({ planId: plan.id, after: plan.removed.entries })
  }
  context.out(`${formatPruningPlan(plan)}\nDry run: nothing changed.\n`)
}

async function eachRemoval(
  source: PruningSource,
  plan: PruningPlan,
  show: (removal: Awaited<ReturnType<PruningSource['listPlannedRemovals']>>['removals'][number]) => void,
): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const page = await source.listPlannedRemovals({ planId: plan.id, after, limit: 1_000 })
    for (const removal of page.removals) show(removal)
    after = page.next
  }
}

async function carryOut(
  context: CliContext,
  { json, trash = false }: PruneOptions,
  source: Source,
  request: PruningRequest,
): Promise<void> {
  const plan = await source.planPruning(request)
  const progress = json === true ? null : new ProgressLine(context)
  let pruning = await source.startPruning({ planId: plan.id, trash })
  for (;;) {
    progress?.show(pruning.progress)
    pruning = await source.readPruning(plan.id)
    if (pruning.state !== 'running') break
    await sleep(LOOK_MS)
  }
  progress?.end()
  context.out(json === true ? `${toSafeJson({ plan, pruning })}\n` : formatPruning(plan, pruning))
  if (pruning.error !== null) throw errorOf(pruning.error)
  if (source.interrupted?.aborted === true) context.setExitCode(EXIT.interrupted)
}

function errorOf({ code, message }: NonNullable<Pruning['error']>): SessiondError {
  const known = Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL'
  const { cure } = ERROR_CATALOGUE[known]
  return new SessiondError(known, message.endsWith(cure) ? message.slice(0, -cure.length).trimEnd() : message)
}

/** Tells how far it is: on a terminal in one line that is written over, elsewhere a line for each stage. */
class ProgressLine {
  readonly #context: CliContext
  #stage: string | null = null
  #isOpen = false

  constructor(context: CliContext) {
    this.#context = context
  }

  show(progress: Pruning['progress']): void {
    const { isErrTerminal } = this.#context
    if (isErrTerminal) {
      this.#context.err(`\r\u001b[K${formatProgress(progress)}`)
      this.#isOpen = true
    } else if (progress.stage !== this.#stage) {
      this.#stage = progress.stage
      this.#context.err(`${formatProgress(progress)}\n`)
    }
  }

  end(): void {
    if (this.#isOpen) this.#context.err('\r\u001b[K')
  }
}

async function pruneOther(
  context: CliContext,
  root: string | undefined,
  {
    layout,
    apply = false,
    trash = false,
    json = false,
    list = false,
    orphans = false,
    ...others
  }: PruneOptions & { readonly layout: string },
): Promise<void> {
  if (root === undefined) {
    throw new SessiondError('BAD_REQUEST', 'The root folder of the installation is missing.', {
      fields: { field: 'root' },
      cure: `Write \`sessiond prune --layout ${layout} <root>\`.`,
    })
  }
  if (others.class !== undefined || others.group !== undefined) {
    throw new SessiondError('BAD_REQUEST', 'Another installation is pruned whole.', {
      fields: { field: others.class === undefined ? 'group' : 'class' },
      cure: 'Leave --class and --group away.',
    })
  }
  if (apply && others.dryRun === true) {
    throw new SessiondError('BAD_REQUEST', '--dry-run and --apply exclude each other.', {
      fields: { field: 'apply' },
      cure: 'Leave one of them away.',
    })
  }
  if (apply && list) throw listAlone('Leave --apply away to see what would go, or --list to have it removed.')
  const { pruneLayout } = await import('./prune-layout.ts')
  await pruneLayout(context, { layout, root, apply, trash, json, list, orphans })
}

function listAlone(cure: string): SessiondError {
  return new SessiondError('BAD_REQUEST', '--list goes with a dry run.', { fields: { field: 'list' }, cure })
}

function withoutLayout(what: 'A root folder' | '--apply' | '--orphans'): SessiondError {
  return new SessiondError('BAD_REQUEST', `${what} goes with --layout alone.`, {
    fields: { field: what === 'A root folder' ? 'root' : what.slice(2) },
    cure: 'Leave it away, or name the --layout of the installation.',
  })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
