import { setTimeout as sleep } from 'node:timers/promises'
import { runAgent } from '@sessiond/runner'
import { machineMs } from '../clock.ts'

/** What an agent that does anything takes at least. */
const WORK_MS = 50

/**
 * The agent of the benchmarks. `hold`: works for ever on its first attempt. `work`: works a little. Anything else:
 * answers at once. The answer is when it got the message and when it handed the answer over to be written.
 */
await runAgent(
  async ([message]) => {
    const gotMs = machineMs()
    if (message?.text === 'hold' && message.attempt === 1) await new Promise<void>(() => {})
    if (message?.text === 'work') await sleep(WORK_MS)
    return JSON.stringify({ gotMs, writtenMs: machineMs() })
  },
  { per: 'message' },
)
