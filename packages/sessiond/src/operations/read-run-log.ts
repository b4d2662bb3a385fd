import { open } from 'node:fs/promises'
import type { EffectDeps } from '../effects/deps.ts'
import { runLogPath } from '../effects/save-run-log.ts'
import { SessiondError } from '../model/errors.ts'
import { archivePath } from '../prune/archive/archive-paths.ts'
import { sessionNotFound } from './stop-session.ts'

const DEFAULT_BYTES = 64 * 1024

/** Tail of a run's output: the kept file, else the runtime's own log. Throws SESSION_NOT_FOUND, RUN_NOT_FOUND, SESSION_ARCHIVED. */
export async function readRunLog(
  deps: EffectDeps,
  sessionId: string,
  epoch: number | undefined,
  maxBytes: number = DEFAULT_BYTES,
): Promise<{ epoch: number; text: string }> {
  const session = await deps.store.getSession(sessionId)
  if (session === null) throw sessionNotFound(sessionId)
  const run = await deps.store.getRun(sessionId, epoch ?? session.epoch)
  if (run === null) {
    const which = epoch === undefined ? 'no run yet' : `no run ${epoch}`
    const fields = { sessionId, epoch }
    throw new SessiondError('RUN_NOT_FOUND', `Session ${sessionId} has ${which}.`, { fields })
  }
  const kept = await readTail(runLogPath(deps, sessionId, run.epoch), maxBytes)
  if (kept !== null) return { epoch: run.epoch, text: kept }
  if (session.archivedAtMs !== null) throw archivedError(sessionId, run.epoch)
  const runtime = deps.runtimes.get(run.runtime)
  const text = run.handle === null || runtime === undefined ? '' : await runtime.readLog(run.handle, maxBytes)
  return { epoch: run.epoch, text }
}

function archivedError(sessionId: string, epoch: number): SessiondError {
  const archive = archivePath(sessionId)
  return new SessiondError(
    'SESSION_ARCHIVED',
    `The log of run ${epoch} of ${sessionId} is in ${archive}, below the data directory.`,
    { fields: { sessionId, epoch, archive } },
  )
}

/** Last `maxBytes` of a file as text; null when there is none. */
async function readTail(path: string, maxBytes: number): Promise<string | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const { size } = await file.stat()
    const length = Math.min(size, maxBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
