import { untilSeen } from '../../../testkit/src/until.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'

/** Ends and removes every run that carries a runtime's label. */
export async function endAllRuns(runtime: Runtime): Promise<void> {
  for (const { handle, isRunning } of await runtime.list()) {
    await runtime.signal(handle, 'SIGKILL')
    if (isRunning) await untilSeen(runtime, handle, 'exited')
    await runtime.remove(handle)
  }
}
