import type { Run } from '../model/run.ts'
import { type EffectDeps, type EffectOutcome, keyOf } from './deps.ts'
import { settleRun } from './settle-run.ts'
import { runtimeOf } from './stop-run.ts'

/**
 * Undoes a start the host did not live to finish: nothing of the agent has run, so whatever stands under the run's
 * name is removed and the run ends, spending nothing. A runtime that cannot be asked leaves it for later.
 */
export async function abortStart(deps: EffectDeps, run: Run): Promise<EffectOutcome> {
  const runtime = runtimeOf(deps, run.runtime)
  const handle = run.handle ?? (await runtime.list()).find((found) => found.name === run.name)?.handle ?? null
  if (handle !== null) {
    const seen = await runtime.inspect(handle)
    if (seen.state === 'unknown') return { done: false, outcome: 'runtime-unknown' }
    if (seen.state === 'running' || seen.state === 'exited') {
      // It was let go after all: keep its handle, and the next look adopts or settles it.
      await deps.store.recordRunHandle(keyOf(run), handle)
      return { done: true, outcome: `found-${seen.state}` }
    }
    await runtime.remove(handle)
  }
  await deps.store.recordStopIntent(keyOf(run), 'spawn-failed', { because: 'start-interrupted' }, deps.world.now())
  return settleRun(deps, { ...run, end: 'spawn-failed' }, null)
}
