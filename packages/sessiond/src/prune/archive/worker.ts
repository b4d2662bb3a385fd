import { errnoOf } from '../files/look.ts'
import { Place } from '../files/place.ts'
import type { ArchiveAnswer, ArchiveRequest } from './archive-messages.ts'
import { type Pace, packSession } from './pack-session.ts'
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

/** Done before the host is asked whether to go on. An entry counts for some bytes: empty files take their time, too. */
const PIECE_BYTES = 16 * 1024 * 1024
const ENTRY_BYTES = 32 * 1024

type Work = Exclude<ArchiveRequest, { kind: 'go-on' }>

async function work(request: Work): Promise<ArchiveAnswer> {
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
      return packSession({ place, name, archive, limits, pace: newPace(), assertHostAlive })
    }
    case 'remove':
      return removeSession({ ...request, pace: newPace() })
  }
}

function newPace(): Pace {
  let untold = 0
  return async ({ bytes = 0, entries = 0 }) => {
    untold += bytes + entries * ENTRY_BYTES
    if (untold < PIECE_BYTES) return
    untold = 0
    assertHostAlive()
    turn = Promise.withResolvers<void>()
    say({ kind: 'progress' })
    await turn.promise
  }
}

/** Host and child speak in turns: resolved while it is the child's. */
let turn = Promise.withResolvers<void>()
turn.resolve()

function say(answer: ArchiveAnswer): void {
  process.send?.(answer, () => {})
}

async function answer(request: Work): Promise<ArchiveAnswer> {
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
  if (request.kind === 'go-on') return turn.resolve()
  void answer(request).then(async (done) => {
    // What fails beside the reading (a full disk) may do so while the host is still asked.
    await turn.promise
    say(done)
  })
})
say({ kind: 'ready' })
