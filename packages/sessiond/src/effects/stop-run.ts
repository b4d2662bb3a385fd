import { SessiondError } from '../model/errors.ts'
import type { Run, RunEnd } from '../model/run.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type EffectDeps, type EffectOutcome, keyOf } from './deps.ts'

const NOT_LIVE: EffectOutcome = { done: false, outcome: 'run-not-live' }

/** Records why the run has to end, then asks it to. The intent is durable first: a host that dies here goes on. */
export async function stopRun(
  deps: EffectDeps,
  run: Run,
  end: RunEnd,
  evidence: Readonly<Record<string, unknown>>,
): Promise<EffectOutcome> {
  const isRecorded = await deps.store.recordStopIntent(keyOf(run), end, evidence, deps.world.now())
  if (!isRecorded) return NOT_LIVE
  await deps.world.boundary('stop:intended')
  deps.watches.of(keyOf(run), deps.world.monotonicMs()).noteStop(deps.world.monotonicMs())
  await signal(deps, run, 'SIGTERM')
  await deps.world.boundary('stop:signalled')
  return { done: true, outcome: 'SIGTERM sent' }
}

/** Sends SIGTERM to a run whose stop is on record, but perhaps was never asked for: its host may have died in between. */
export async function askAgain(deps: EffectDeps, run: Run): Promise<EffectOutcome> {
  await signal(deps, run, 'SIGTERM')
  await deps.world.boundary('stop:signalled')
  return { done: true, outcome: 'SIGTERM sent again' }
}

/** Ends a run that outlived its grace. */
export async function killRun(deps: EffectDeps, run: Run): Promise<EffectOutcome> {
  const isRecorded = await deps.store.recordKillSent(keyOf(run), deps.world.now())
  if (!isRecorded) return NOT_LIVE
  await deps.world.boundary('kill:recorded')
  deps.watches.of(keyOf(run), deps.world.monotonicMs()).noteKill(deps.world.monotonicMs())
  await signal(deps, run, 'SIGKILL')
  await deps.world.boundary('kill:signalled')
  return { done: true, outcome: 'SIGKILL sent' }
}

/** Marks a run that survived SIGKILL: its session stays without a new run until this one is gone (D2). */
export async function quarantineRun(deps: EffectDeps, run: Run): Promise<EffectOutcome> {
  const isRecorded = await deps.store.recordUnkillable(keyOf(run), deps.world.now())
  return isRecorded ? { done: true, outcome: 'quarantined' } : NOT_LIVE
}

async function signal(deps: EffectDeps, run: Run, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (run.handle === null) return
  await runtimeOf(deps, run.runtime).signal(run.handle, name)
  // Only now: a signal that did not get through has to be sent again.
  deps.watches.of(keyOf(run), deps.world.monotonicMs()).noteSent(name)
}

/** The adapter a run was started on; throws RUNTIME_UNREACHABLE when the configuration no longer has it. */
export function runtimeOf(deps: Pick<EffectDeps, 'runtimes'>, name: string): Runtime {
  const runtime = deps.runtimes.get(name)
  if (runtime !== undefined) return runtime
  throw new SessiondError('RUNTIME_UNREACHABLE', `Runtime ${name} is not configured.`, { fields: { runtime: name } })
}
