import type { GroupConfig } from '../config/config.ts'
import { decideSpawnFailure } from '../decide/decide-spawn-failure.ts'
import { hasCode, SessiondError } from '../model/errors.ts'
import type { Run, RunHandle } from '../model/run.ts'
import { resolveMounts } from '../runtime/resolve-mounts.ts'
import type { RunSpec, Runtime } from '../runtime/runtime.ts'
import { type EffectDeps, type EffectOutcome, keyOf, sinksOf, wordsOf } from './deps.ts'
import { projectionOf } from './project-mailbox.ts'
import { runLogPath } from './save-run-log.ts'
import { runtimeOf } from './stop-run.ts'

/** What the start needs besides the effects' ports. */
export interface StartDeps extends EffectDeps {
  /** Called when the run may have written something. */
  readonly onOutboxChange: (sessionId: string) => void
  /** How often the runtime was out of reach since the host started. */
  readonly lossesOf: (runtime: string) => number
}

/**
 * Starts the session's next run. Each step is durable before the next: intent, mailbox, container (nothing of the
 * agent runs yet), handle, go, started. A host that dies at any point leaves a run its successor can find and judge.
 */
export async function startRun(deps: StartDeps, sessionId: string, group: GroupConfig): Promise<EffectOutcome> {
  const prefix = runNamePrefix(deps, sessionId)
  const begun = await deps.store.beginRun({
    sessionId,
    runtime: group.runtime,
    nameOf: (epoch) => `${prefix}-${epoch}`,
    maxLiveRuns: deps.config.runs.max,
    probeForMs: deps.config.provider.waitMs,
    nowMs: deps.world.now(),
  })
  if (!begun.begun) return { done: false, outcome: begun.because }
  const { run } = begun
  await deps.world.boundary('start:intended')
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  watch.isExcused = false
  // Before the window is read: whoever changes a message from here on says that the mailbox is behind.
  watch.isMailboxBehind = false
  const lossesBefore = deps.lossesOf(run.runtime)
  let handle: RunHandle | null = null
  try {
    const runtime = runtimeOf(deps, group.runtime)
    const spec = await prepare(deps, run, group, runtime)
    if (spec === null) return { done: false, outcome: 'run-not-live' }
    handle = await runtime.create(spec)
    await deps.world.boundary('start:created')
    if (!(await deps.store.recordRunHandle(keyOf(run), handle))) return await withdraw(runtime, handle)
    await deps.world.boundary('start:handle-recorded')
    watch.unwatch = deps.mailbox.watch(sessionId, () => deps.onOutboxChange(sessionId))
    watch.noteLetGo(runtime.interruptions, deps.world.monotonicMs())
    await runtime.start(handle)
  } catch (error) {
    return failStart(deps, run, { handle, lossesBefore }, error)
  }
  await deps.world.boundary('start:let-go')
  await deps.store.recordRunStarted(keyOf(run), deps.world.now())
  await deps.world.boundary('start:recorded')
  return { done: true, outcome: `run ${run.epoch} started` }
}

/** Makes mailbox and workspace ready; null when the run has been ended meanwhile. */
async function prepare(deps: StartDeps, run: Run, group: GroupConfig, runtime: Runtime): Promise<RunSpec | null> {
  const mounts = await resolveMounts(group.mounts, deps.config.mounts.roots)
  const { windowMessages, windowBytes } = deps.config.mailbox
  const limits = { messages: windowMessages, bytes: windowBytes }
  const messages = await deps.store.fillWindow(keyOf(run), deps.world.now(), limits, true)
  if (messages === null) return null
  const user = runtime.userOf(group.user)
  const state = await deps.store.getSessionState(run.sessionId)
  await deps.mailbox.prepare(await projectionOf(deps, run, messages), state, user)
  await deps.world.boundary('start:prepared')
  const paths = deps.mailbox.pathsOf(run.sessionId)
  return {
    installId: deps.store.installId,
    sessionId: run.sessionId,
    group: run.group,
    epoch: run.epoch,
    name: run.name,
    inDir: paths.in,
    outDir: paths.out,
    workDir: paths.work,
    logPath: runLogPath(deps, run.sessionId, run.epoch),
    agentJson: group.agent.kind === 'command' ? JSON.stringify(group.agent) : null,
    runnerCommand: group.agent.kind === 'runner' ? group.agent.command : null,
    environment: group.environment,
    mounts,
    limits: group.limits,
    image: group.image,
    network: group.network,
    user,
  }
}

/** The run is not live any more (closed meanwhile): take back what was made; nothing of the agent has run. */
async function withdraw(runtime: Runtime, handle: RunHandle): Promise<EffectOutcome> {
  await runtime.remove(handle)
  return { done: false, outcome: 'run-not-live' }
}

/**
 * A start that failed ends the run only when it is certain that nothing has run: a start call that timed out may have
 * taken effect, and what ran and ended is settled like any other run. Trouble with the store is for the reconciler to
 * retry, and an engine that cannot be reached is nobody's failure; anything else, a full disk and a bug included, counts
 * as a spawn failure, so that it backs off and is told.
 */
async function failStart(
  deps: StartDeps,
  run: Run,
  { handle, lossesBefore }: { readonly handle: RunHandle | null; readonly lossesBefore: number },
  error: unknown,
): Promise<EffectOutcome> {
  if (hasCode(error, 'STORE_BUSY', 'STORE_BROKEN')) throw error
  if (handle !== null) {
    const runtime = runtimeOf(deps, run.runtime)
    const seen = await runtime.inspect(handle)
    if (seen.state === 'unknown' || seen.state === 'running') throw error
    if (seen.state === 'exited') return { done: true, outcome: 'exited-at-start' }
    await runtime.remove(handle)
  }
  const nowMs = deps.world.now()
  const facts = await deps.store.readFacts(run.sessionId, nowMs)
  const isEnginesFault =
    hasCode(error, 'RUNTIME_UNREACHABLE') &&
    // The losses last: one may be noticed while this asks.
    (!(await isAnswering(deps, run.runtime)) || deps.lossesOf(run.runtime) !== lossesBefore)
  const words = wordsOf(error)
  const failure = decideSpawnFailure(facts?.session.spawnFailures ?? 0, words, deps.config.spawn, nowMs)
  await deps.store.endRun({
    run: keyOf(run),
    nowMs,
    end: 'spawn-failed',
    exit: null,
    settlements: [],
    sinks: sinksOf(deps.config, run.group),
    provider: deps.config.provider,
    spawnFailure: isEnginesFault ? null : { error: words, ...failure },
    journal: [],
  })
  await deps.world.boundary('start:failed')
  deps.watches.drop(keyOf(run))
  if (isEnginesFault) throw error
  return { done: true, outcome: `start failed: ${error instanceof SessiondError ? error.code : 'unexpected'}` }
}

/** An engine that answers all else but cannot make this one container has trouble with this one. */
function isAnswering(deps: StartDeps, runtime: string): Promise<boolean> {
  return runtimeOf(deps, runtime)
    .list()
    .then(
      () => true,
      () => false,
    )
}

/**
 * Unique for ever: the random part tells apart what the readable one may not (`a.b/c` and `a/b.c`). Container names
 * allow letters, digits, dots, underscores and hyphens, and so do session names.
 */
function runNamePrefix(deps: StartDeps, sessionId: string): string {
  return `sessiond-${sessionId.replace('/', '.')}-${deps.world.newId('')}`
}
