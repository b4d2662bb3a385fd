import { errnoOf } from '../files/look.ts'
import { Place } from '../files/place.ts'
import type { ArchiveAnswer, ArchiveRequest } from './archive-messages.ts'
import { packSession } from './pack-session.ts'
import { recoverSession, removeSession } from './remove-session.ts'
import { TreeRefused } from './walk-session.ts'

/**
 * The archiver: a process of its own, because it moves its working directory, which a process has only one of, and
 * because what it does blocks. It does one thing after another.
 */

const hostPid = process.ppid

/** A newer host may already be archiving; whoever has no host any more must not go on beside it. */
function assertHostAlive(): void {
  if (process.ppid !== hostPid) process.exit(0)
}

/** Between two words that it is still at it. An entry counts for some bytes: a tree of empty files takes its time, too. */
const TOLD_BYTES = 16 * 1024 * 1024
const ENTRY_BYTES = 8 * 1024

async function work(request: ArchiveRequest): Promise<ArchiveAnswer> {
  const { parent, name } = request
  const place = new Place(parent)
  const entered = place.enterRoot()
  if (entered === 'refused') throw new TreeRefused('unreadable', null)
  switch (request.kind) {
    case 'recover':
      return {
        kind: 'found',
        what: entered === 'missing' ? 'nothing' : recoverSession(name, request.isArchived),
      }
    case 'pack': {
      if (place.down(name) !== 'entered') throw new TreeRefused('unreadable', null)
      const { archive, limits } = request
      return packSession({ place, name, archive, limits, onRead: teller(), assertHostAlive })
    }
    case 'remove':
      return removeSession({ ...request, assertHostAlive })
  }
}

function teller(): (bytes: number | 'entry') => void {
  let untold = 0
  return (bytes) => {
    untold += bytes === 'entry' ? ENTRY_BYTES : bytes
    if (untold < TOLD_BYTES) return
    untold = 0
    assertHostAlive()
    process.send?.({ kind: 'progress' } satisfies ArchiveAnswer, () => {})
  }
}

async function answer(request: ArchiveRequest): Promise<ArchiveAnswer> {
  try {
    return await work(request)
  } catch (error) {
    if (error instanceof TreeRefused) return { kind: 'refused', because: error.because, path: error.path }
    if (['ENOSPC', 'EDQUOT'].includes(errnoOf(error))) return { kind: 'no-room' }
    // A bug, a lack of memory, a disk that fails: the process ends, and the host reports that.
    throw error
  }
}

// Ctrl-C reaches the whole process group; the host ends what is under way in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (request: ArchiveRequest) => {
  void answer(request).then((done) => process.send?.(done, () => {}))
})
process.send?.({ kind: 'ready' } satisfies ArchiveAnswer, () => {})
