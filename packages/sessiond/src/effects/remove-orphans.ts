import type { FoundRun, Runtime } from '../runtime/runtime.ts'
import { type EffectDeps, wordsOf } from './deps.ts'

/**
 * Ends and removes every container or process that carries this install's label but is no live run of the store
 * (D4). Each by itself: one that resists hides no other. Throws RUNTIME_UNREACHABLE when the runtime cannot list.
 */
export async function removeOrphans(deps: EffectDeps, runtime: Runtime): Promise<number> {
  // List first, then read the live runs: a run is recorded before its container exists, so none is missed this way.
  const found = await runtime.list()
  const live = new Set((await deps.store.listLiveRuns()).map((run) => run.name))
  const orphans = found.filter((run) => !live.has(run.name))
  const removals = await Promise.all(orphans.map((orphan) => removeOrphan(deps, runtime, orphan)))
  return removals.filter((isRemoved) => isRemoved).length
}

async function removeOrphan(deps: EffectDeps, runtime: Runtime, orphan: FoundRun): Promise<boolean> {
  try {
    if (orphan.isRunning) await runtime.signal(orphan.handle, 'SIGKILL')
    // A killed one may need a moment to be gone; then the next sweep removes it.
    const seen = await runtime.inspect(orphan.handle)
    if (seen.state === 'running' || seen.state === 'unknown') return false
    await runtime.remove(orphan.handle)
    await deps.store.append([lineOf(deps, orphan, 'removed')])
    return true
  } catch (error) {
    await deps.store.append([lineOf(deps, orphan, wordsOf(error))])
    return false
  }
}

function lineOf(deps: EffectDeps, orphan: FoundRun, outcome: string) {
  const { name, isRunning, sessionId, epoch } = orphan
  const detail = { name, wasRunning: isRunning, outcome }
  return { type: 'container:removed' as const, atMs: deps.world.now(), sessionId, epoch, messageId: null, detail }
}
