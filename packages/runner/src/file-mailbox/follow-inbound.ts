import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { RunnerWorld } from '../world.ts'
import { inboundSignature } from './inbound-signature.ts'
import { type LookResult, lookAtInbound } from './look-at-inbound.ts'

/** Fallback where file notifications do not arrive: one stat per interval, no query unless something changed. */
const POLL_MS = 500
const FIRST_RETRY_MS = 10
/** Looks that fail this often in a row are worth one line in the log. */
const FAILURES_WORTH_A_LINE = 20

export interface FollowInboundOptions<T> {
  readonly path: string
  readonly world: RunnerWorld
  readonly log: (line: string) => void
  /** Reads what is wanted of one snapshot. */
  readonly read: (db: DatabaseSync) => T
  readonly onLook: (look: T) => void
}

/** Calls back with each new state of `inbound.db`, by notification or else by stat; returns how to stop. */
export function followInbound<T>({ path, world, log, read, onLook }: FollowInboundOptions<T>): () => void {
  let isStopped = false
  let seen: string | undefined
  let failures = 0
  let cancelTimer = () => {}

  const check = () => {
    if (isStopped) return
    cancelTimer()
    const signature = inboundSignature(path)
    const isNew = signature === undefined || signature !== seen
    if (isNew) look(signature)
    if (!isStopped) cancelTimer = world.setTimer(nextCheckMs(failures), check)
  }

  const look = (signature: string | undefined) => {
    const result: LookResult<T> = lookAtInbound(path, read)
    if (result.isRead) {
      seen = signature
      failures = 0
      onLook(result.look)
      return
    }
    failures += 1
    if (failures === FAILURES_WORTH_A_LINE) log(`inbound.db cannot be read (${result.because}); still trying`)
  }

  const stopWatching = watchDirectory(dirname(path), check)
  check()
  return () => {
    isStopped = true
    cancelTimer()
    stopWatching()
  }
}

function nextCheckMs(failures: number): number {
  if (failures === 0) return POLL_MS
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), POLL_MS)
}

/** One commit makes several notifications; they are answered by one check. */
function watchDirectory(directory: string, onChange: () => void): () => void {
  let isPending = false
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, () => {
      if (isPending) return
      isPending = true
      setImmediate(() => {
        isPending = false
        onChange()
      })
    })
    // A watch that breaks leaves polling, which needs nothing of it.
    watcher.on('error', () => watcher?.close())
  } catch {
    // No notifications here (limits of the system, some network mounts): polling alone.
  }
  return () => watcher?.close()
}
