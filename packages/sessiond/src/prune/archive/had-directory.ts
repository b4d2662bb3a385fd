import type { StoreReader } from '../../store/store.ts'

/** A run that was started had its session's directory; newer ones may have failed for want of it. */
const RUNS_LOOKED_AT = 10

/** Whether a session must have had a directory: it has none before its first run. */
export async function hadDirectory(store: Pick<StoreReader, 'listRuns'>, sessionId: string): Promise<boolean> {
  const runs = await store.listRuns(sessionId, RUNS_LOOKED_AT)
  return runs.some(({ startedAtMs }) => startedAtMs !== null)
}
