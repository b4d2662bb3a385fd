import { runLine } from '../model/journal.ts'
import type { Run } from '../model/run.ts'
import { keyOf } from './deps.ts'
import type { StartDeps } from './start-run.ts'

/**
 * Takes over a run an earlier host process left: watches its mailbox, so that what it writes is seen, and gives it a
 * full window of every clock. What it did meanwhile is for the reconcile that follows.
 */
export async function adoptRun(deps: StartDeps, run: Run): Promise<void> {
  const watch = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  if (run.handle === null) return
  watch.unwatch = deps.mailbox.watch(run.sessionId, () => deps.onOutboxChange(run.sessionId))
  const detail = { state: run.state, runtime: run.runtime }
  await deps.store.append([runLine('run:adopted', deps.world.now(), keyOf(run), detail)])
}
