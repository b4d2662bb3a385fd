import type { OperationName, Operations, WorkerAnswer, WorkerRequest } from './operations.ts'
import { prepareMailbox, rebuildInbound } from './prepare-mailbox.ts'
import { setAsideOutbound } from './set-aside.ts'
import { syncInbound } from './sync-inbound.ts'
import { takeOutbound } from './take-outbound.ts'
import type { FileOwner } from './translate-failure.ts'
import { translateFailure } from './translate-failure.ts'
import { startWatchdog } from './watchdog.ts'

/** A reader process: does what may block, one request at a time, where the host can kill it. */
const operations: Operations = {
  prepare: prepareMailbox,
  rebuild: rebuildInbound,
  sync: syncInbound,
  take: takeOutbound,
  setAside: setAsideOutbound,
}

const OWNERS: Readonly<Record<OperationName, FileOwner>> = {
  prepare: 'host',
  rebuild: 'host',
  sync: 'host',
  take: 'run',
  setAside: 'host',
}

function answer(request: WorkerRequest): WorkerAnswer {
  try {
    // The two ends of this channel are one program; the host builds inputs by the same table of types.
    const perform = operations[request.op] as (input: unknown) => unknown
    return { ok: true, value: perform(request.input) }
  } catch (error) {
    const { code, message, cure } = translateFailure(error, OWNERS[request.op])
    return { ok: false, code, what: message, cure }
  }
}

const watchdog = startWatchdog(Number(process.argv[2]))

// Ctrl-C reaches the whole process group; the host still needs its readers to shut down in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (request: WorkerRequest) => {
  watchdog.begin()
  const reply = answer(request)
  watchdog.end()
  process.send?.(reply)
})
process.send?.('ready')
