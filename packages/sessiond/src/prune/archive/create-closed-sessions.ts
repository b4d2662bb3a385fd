import type { Stats } from 'node:fs'
import { lstat, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveAgainAtMs, isArchiveDue } from '../../decide/decide-archive.ts'
import { hasCode, SessiondError } from '../../model/errors.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Store, UnarchivedSession } from '../../store/store.ts'
import type { World } from '../../world.ts'
import type { ArchivedSessions, ArchiveRound, ClosedSessions } from '../house.ts'
import type { ArchiveLimits } from './archive-messages.ts'
import { archivePath, archivePaths, unfinishedPath } from './archive-paths.ts'
import { ArchiveProcess, type FinalAnswer } from './archive-process.ts'
import { hadDirectory } from './had-directory.ts'

export interface ArchiveDeps {
  readonly world: Pick<World, 'now' | 'boundary'>
  readonly store: Pick<Store, 'listUnarchived' | 'listRuns' | 'isSettled' | 'recordArchived' | 'putOffArchive'>
  /** By its real path: nothing is archived over a link. */
  readonly dataDir: string
  /** How long directories of closed sessions stay; null: for ever. */
  readonly closedSessionsMsOf: (group: string) => number | null
  /** Archives are written before anything is given back: not with the last room there is. */
  readonly hasRoom: () => Promise<boolean>
  readonly limits?: Partial<ArchiveLimits>
}

const LIMITS: ArchiveLimits = { entries: 500_000, bytes: 16 * 1024 ** 3, depth: 200 }
const PAGE = 200
const OF_ALL = ['DISK_FULL', 'STORE_BUSY', 'STORE_BROKEN', 'HOST_STOPPING', 'REFERENCES_IMPLAUSIBLE'] as const

export function createClosedSessions(deps: ArchiveDeps): ClosedSessions {
  const archiver = new Archiver(deps)
  return {
    async count({ nowMs, group, limit }) {
      let count = 0
      for await (const _ of archiver.due(nowMs, group)) {
        count += 1
        if (count >= limit) break
      }
      return count
    },
    archive: (round) => archiver.archive(round),
  }
}

type Outcome =
  | { readonly to: 'archived'; readonly bytes: number }
  /** Nothing is wrong with the session: the next cleaning has it again. */
  | { readonly to: 'left' }
  | { readonly to: 'failed' }

class Archiver {
  readonly #deps: ArchiveDeps
  readonly #limits: ArchiveLimits

  constructor(deps: ArchiveDeps) {
    this.#deps = deps
    this.#limits = { ...LIMITS, ...deps.limits }
  }

  /** Sessions that are due and settled, those closed first first. */
  async *due(nowMs: number, group: string | null): AsyncIterable<UnarchivedSession> {
    const { store, closedSessionsMsOf } = this.#deps
    for (let after: UnarchivedSession | null = null; ; ) {
      const page: readonly UnarchivedSession[] = await store.listUnarchived({
        closedBeforeMs: nowMs,
        group,
        after,
        limit: PAGE,
      })
      for (const session of page) {
        if (!isArchiveDue(session, closedSessionsMsOf(session.group), nowMs)) continue
        if (await store.isSettled(session.sessionId)) yield session
      }
      after = page.at(-1) ?? null
      if (page.length < PAGE) return
    }
  }

  async archive({ nowMs, group, limit, mayGoOn, mayFinish }: ArchiveRound): Promise<ArchivedSessions> {
    const sums = { archived: 0, bytes: 0, failed: 0 }
    let process: ArchiveProcess | null = null
    try {
      for await (const { sessionId } of this.due(nowMs, group)) {
        if (sums.archived + sums.failed >= limit || !(await this.#isToWrite(mayGoOn))) {
          return { ...sums, isMore: true }
        }
        process ??= await ArchiveProcess.start()
        const outcome = await this.#tryOne(process, sessionId, mayFinish)
        if (outcome.to === 'archived') {
          sums.archived += 1
          sums.bytes += outcome.bytes
        } else if (outcome.to === 'failed') sums.failed += 1
        if (process.isAlive) continue
        await process[Symbol.asyncDispose]()
        process = null
      }
      return { ...sums, isMore: false }
    } finally {
      await process?.[Symbol.asyncDispose]()
    }
  }

  async #isToWrite(mayGoOn: () => Promise<boolean>): Promise<boolean> {
    return (await mayGoOn()) && (await this.#deps.hasRoom())
  }

  async #tryOne(process: ArchiveProcess, sessionId: string, mayFinish: () => Promise<boolean>): Promise<Outcome> {
    try {
      return await this.#one(process, sessionId, mayFinish)
    } catch (error) {
      // What concerns all sessions is the caller's; the troubles of one's files must not keep the others waiting.
      if (hasCode(error, ...OF_ALL)) throw error
      const what = error instanceof Error ? error.message.slice(0, 500) : String(error)
      return this.#putOff(sessionId, 'failed', { error: what })
    }
  }

  async #one(process: ArchiveProcess, sessionId: string, mayFinish: () => Promise<boolean>): Promise<Outcome> {
    const { store, world, dataDir } = this.#deps
    const { parent, name, folder, archive } = archivePaths(dataDir, sessionId)
    await prepareFolders(dataDir, folder)
    const isArchived = await isFile(archive)
    const found = await process.ask({ kind: 'recover', parent, name, isArchived }, mayFinish)
    if (found.kind !== 'found') return this.#refused(sessionId, found)
    const limits = this.#limits
    if (found.what === 'nothing') {
      if (!isArchived && (await hadDirectory(store, sessionId))) return this.#missing(sessionId)
      return this.#record(sessionId, { path: isArchived ? archivePath(sessionId) : null }, 0)
    }
    if (found.what === 'leftover') {
      const removed = await process.ask({ kind: 'remove', parent, name, print: null, limits }, mayFinish)
      if (removed.kind !== 'removed') return this.#refused(sessionId, removed)
      return this.#record(sessionId, { path: archivePath(sessionId) }, 0)
    }
    const packed = await process.ask({ kind: 'pack', parent, name, archive, limits }, () => this.#isToWrite(mayFinish))
    if (packed.kind === 'broken-off') await rm(unfinishedPath(archive), { force: true })
    if (packed.kind !== 'packed') return this.#refused(sessionId, packed)
    await world.boundary('archive:packed')
    // It may have been a while: nothing is removed of a session of which something is under way.
    if (!(await store.isSettled(sessionId))) return { to: 'left' }
    const removed = await process.ask({ kind: 'remove', parent, name, print: packed.print, limits }, mayFinish)
    if (removed.kind !== 'removed') return this.#refused(sessionId, removed)
    await world.boundary('archive:removed')
    const { entries, bytes, skipped } = packed
    return this.#record(sessionId, { path: archivePath(sessionId), entries, bytes, skipped }, bytes)
  }

  /** Its directory may be on a disk that is not there: only a person knows whether it is gone. */
  async #missing(sessionId: string): Promise<Outcome> {
    const { dataDir } = this.#deps
    const sessions = join(dataDir, 'sessions')
    if ((await lookAt(sessions)) !== null) return this.#putOff(sessionId, 'missing', {})
    const what = `There is no ${sessions}, but sessions have run.`
    const cure = 'Nothing was archived. Put the folder back in its place, or the disk that it is on.'
    throw new SessiondError('REFERENCES_IMPLAUSIBLE', what, { fields: { dataDir, sessionId }, cure })
  }

  async #refused(sessionId: string, answer: FinalAnswer): Promise<Outcome> {
    if (answer.kind === 'broken-off') return { to: 'left' }
    if (answer.kind === 'refused') return this.#putOff(sessionId, answer.because, { path: answer.path?.slice(0, 200) })
    if (answer.kind === 'no-room') return this.#putOff(sessionId, 'no-room', {})
    throw new TypeError(`The archiver answered ${answer.kind} out of turn`)
  }

  async #record(sessionId: string, detail: JournalEntry['detail'], bytes: number): Promise<Outcome> {
    const isRecorded = await this.#deps.store.recordArchived(sessionId, detail, this.#deps.world.now())
    return isRecorded ? { to: 'archived', bytes } : { to: 'left' }
  }

  async #putOff(sessionId: string, because: string, detail: JournalEntry['detail']): Promise<Outcome> {
    const nowMs = this.#deps.world.now()
    const notBeforeMs = archiveAgainAtMs(because, nowMs)
    await this.#deps.store.putOffArchive(sessionId, { because, notBeforeMs, detail }, nowMs)
    return { to: 'failed' }
  }
}

/** The host's alone: whoever may write there could put a link in an archive's place. */
async function prepareFolders(dataDir: string, folder: string): Promise<void> {
  for (const path of [join(dataDir, 'archives'), folder]) {
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is no folder`)
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await lookAt(path))?.isFile() === true
}

async function lookAt(path: string): Promise<Stats | null> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}
