import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { lookAt } from '../mailbox/host-files.ts'
import type { PrunePlan } from '../model/artifact.ts'
import { hasCode, SessiondError } from '../model/errors.ts'
import type { AppliedRemovals, ApplyRequest, ArtifactFiles } from '../prune/artifact-files.ts'
import { withPruneLock } from '../prune/prune-lock.ts'
import { planTrash, trashFolder, trashOf } from '../prune/trash.ts'
import type { World } from '../world.ts'
import type { Layout } from './installation.ts'
import type { InstallationReader } from './installation-reader.ts'
import { asCaptured, asNamed, rulesOf } from './layout-rules.ts'
import { type ReadProgress, type ReferenceOptions, readReferences } from './read-references.ts'

export interface InstallationPlan {
  readonly plan: PrunePlan
  /** `<group>/<session>` of session folders that are not on record. */
  readonly orphans: readonly string[]
}

export interface InstallationDeps {
  readonly reader: InstallationReader
  readonly layout: Layout
  readonly files: ArtifactFiles
  readonly world: World
  readonly removesOrphans: boolean
  /** Ends what is under way: waiting and reading by throwing its reason, a plan where it is, an apply at the next batch. */
  readonly interrupted: AbortSignal
  /** Sessions are read before the plan, and before each batch of it. */
  readonly onRead: (progress: ReadProgress) => void
}

export interface ApplyInstallation {
  readonly putsAside: boolean
  /** Another pruning of the installation is under way, and is waited for. */
  readonly onWait: () => void
  readonly onProgress: (applied: AppliedRemovals) => void
}

export interface InstallationOutcome extends InstallationPlan {
  readonly applied: AppliedRemovals
  /** Put aside before, for so long that it is gone now. */
  readonly trash: { readonly entries: number; readonly bytes: number }
  /** Absolute; null: what went is gone. */
  readonly trashFolder: string | null
  /** What ended it; what had gone until then is told all the same. Null: it came to its end, or was interrupted. */
  readonly error: unknown
}

/** The lock, and what was put aside: below `data`, which git does not look at in a checkout of NanoClaw. */
const OWN_FOLDER = '.sessiond'
const LOCK_WAIT_MS = 30_000
const TRASH_MS = 7 * 86_400_000
/** References are read anew for so many removals: few enough that a session that comes to life is seen. */
const BATCH = 500

/** Plans what an installation of NanoClaw can do without; writes nothing there. Interrupted, it holds what was seen. */
export async function planInstallation(deps: InstallationDeps): Promise<InstallationPlan> {
  const { reader, layout, files, world } = deps
  const { active, orphans } = await referencesOf(deps, { batch: null, planned: new Set() })
  const rules = rulesOf(layout, reader.root)
  const { mayGoOn } = commonOf(deps)
  const plan = await files.plan({ rules, active: asCaptured(active), nowMs: world.now(), pressure: null, mayGoOn })
  return { plan: asNamed(plan), orphans }
}

/**
 * Plans, and carries out exactly that, alone at it; NanoClaw may run beside it. Throws what keeps it from beginning; what
 * ends it later is part of its outcome.
 */
export async function pruneInstallation(
  deps: InstallationDeps,
  request: ApplyInstallation,
): Promise<InstallationOutcome> {
  const own = await ensureOwnFolder(deps.reader.root)
  const { world, interrupted } = deps
  const { onWait } = request
  return withPruneLock(own, LOCK_WAIT_MS, () => applyInstallation(deps, request, own), { world, onWait, interrupted })
}

async function applyInstallation(
  deps: InstallationDeps,
  request: ApplyInstallation,
  own: string,
): Promise<InstallationOutcome> {
  const { world } = deps
  const planned = await planInstallation(deps)
  const putsAside = request.putsAside && planned.plan.removals.length > 0
  const folder = putsAside ? join(trashOf(own), trashFolder(world.now(), world.newId('p-'))) : null
  if (folder !== null) await makeTrash(folder)
  const reached = await carryOut(deps, { plan: planned.plan, trashDir: folder, onProgress: request.onProgress }, own)
  return { ...planned, ...reached, trashFolder: folder }
}

async function makeTrash(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable(folder, cause)
  }
}

/** Whatever ends it, or whoever interrupts it while sessions are read: what has gone until then is told. */
async function carryOut(
  deps: InstallationDeps,
  { onProgress, ...request }: PlanToApply,
  own: string,
): Promise<Pick<InstallationOutcome, 'applied' | 'trash' | 'error'>> {
  let applied: AppliedRemovals = { next: 0, classes: [] }
  const note = (soFar: AppliedRemovals) => {
    applied = soFar
    onProgress(soFar)
  }
  try {
    applied = await applyPlan(deps, { ...request, onProgress: note })
    return { applied, trash: await emptyTrash(deps, own), error: null }
  } catch (error) {
    const isInterruption = deps.interrupted.aborted && error === deps.interrupted.reason
    return { applied, trash: { entries: 0, bytes: 0 }, error: isInterruption ? null : brokenOff(error) }
  }
}

type PlanToApply = Pick<ApplyRequest, 'plan' | 'trashDir' | 'onProgress'>

function applyPlan(deps: InstallationDeps, request: PlanToApply): Promise<AppliedRemovals> {
  const planned = sessionFoldersIn(request.plan)
  return deps.files.apply({
    ...commonOf(deps),
    ...request,
    readActive: async (batch) => (await referencesOf(deps, { batch, planned })).active,
  })
}

async function emptyTrash(deps: InstallationDeps, own: string): Promise<InstallationOutcome['trash']> {
  const names = await namesIn(trashOf(own))
  const expired = await planTrash(deps.files, { dataDir: own, names }, { nowMs: deps.world.now(), keptMs: TRASH_MS })
  const emptied = await deps.files.apply({
    ...commonOf(deps),
    plan: expired,
    checks: 'same',
    readActive: async () => NOBODY,
    trashDir: null,
    onProgress: () => {},
  })
  return emptied.classes[0]?.removed ?? { entries: 0, bytes: 0 }
}

/** References are read between two batches: what had gone by then is known to the entry. */
function brokenOff(error: unknown): unknown {
  if (!hasCode(error, 'REFERENCES_UNREADABLE', 'REFERENCES_IMPLAUSIBLE')) return error
  const cure = 'What was removed until then is listed; once this is put right, the next pruning goes on.'
  return new SessiondError(error.code, error.what, { fields: error.fields, cause: error, cure })
}

function commonOf({ interrupted }: InstallationDeps) {
  return { batch: BATCH, mayGoOn: async () => !interrupted.aborted }
}

function referencesOf(deps: InstallationDeps, about: Pick<ReferenceOptions, 'batch' | 'planned'>) {
  const { reader, layout, removesOrphans, interrupted, onRead } = deps
  return readReferences(reader, layout, { removesOrphans, interrupted, onRead, ...about })
}

/** `<group>/<session>` of the session folders that a plan removes. */
function sessionFoldersIn({ removals }: PrunePlan): ReadonlySet<string> {
  return new Set(removals.flatMap(({ group, session }) => (session === null ? [] : [`${group}/${session}`])))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    // Nothing was ever put aside.
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return []
    throw unusable(folder, error)
  }
}

/** What was put aside was found to be nobody's. */
const NOBODY = {
  ids: new Set<string>(),
  openSessions: new Set<string>(),
  closedSessions: new Set<string>(),
  workingSessions: new Set<string>(),
  liveRuns: new Set<string>(),
  hasSessions: false,
}

/** A container may have the root mounted: what stands there must be a folder, and what is in it no link (G2, G4). */
async function ensureOwnFolder(root: string): Promise<string> {
  const data = join(root, 'data')
  const own = join(data, OWN_FOLDER)
  await ensureFolder(data, 0o777)
  await ensureFolder(own, 0o700)
  const lock = look(join(own, 'prune.lock'))
  const isLockPlain = lock === undefined || (lock.isFile() && lock.nlink === 1)
  const isTrashPlain = look(trashOf(own))?.isDirectory() !== false
  if (!isLockPlain || !isTrashPlain) throw unusable(own)
  return own
}

async function ensureFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (cause) {
    if (!(cause instanceof Error && Reflect.get(cause, 'code') === 'EEXIST')) throw unusable(path, cause)
  }
  if (look(path)?.isDirectory() !== true) throw unusable(path)
}

function look(path: string) {
  try {
    return lookAt(path)
  } catch (cause) {
    throw unusable(path, cause)
  }
}

function unusable(own: string, cause?: unknown): SessiondError {
  return new SessiondError('INSTALLATION_UNREADABLE', `${own} cannot be used for the lock and the trash.`, {
    fields: { path: own },
    cure: 'It must be a real folder this user may write; move away what stands there.',
    ...(cause === undefined ? {} : { cause }),
  })
}
