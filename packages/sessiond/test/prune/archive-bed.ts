import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ArchiveDeps, createClosedSessions } from '../../src/prune/archive/create-closed-sessions.ts'
import type { ArchivedSessions, ArchiveRound } from '../../src/prune/house.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { realWorld } from '../../src/world.ts'
import { newMessage } from '../store/messages.ts'

export const DAY_MS = 86_400_000
export const CLOSED_AT_MS = 1_000_000
/** When what was closed at CLOSED_AT_MS has just become due. */
export const DUE_MS = CLOSED_AT_MS + DAY_MS

/** A data directory with a store, and sessions in it that are made, closed and archived. */
export interface ArchiveBed extends AsyncDisposable {
  readonly dataDir: string
  readonly store: SqliteStore
  /** Makes a closed session with a file of this text in its workspace. */
  close(sessionId: string, text?: string): Promise<void>
  dirOf(sessionId: string): string
  archiveOf(sessionId: string): string
  archive(round?: Partial<ArchiveRound>, changes?: Partial<ArchiveDeps>): Promise<ArchivedSessions>
  /** Unpacks an archive as a person would, and returns where. */
  unpack(sessionId: string, ...options: string[]): string
  /** Journal lines on archives. */
  told(): Promise<{ type: string; sessionId: string | null; detail: Readonly<Record<string, unknown>> }[]>
}

export async function makeArchiveBed(): Promise<ArchiveBed> {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'archive-')))
  const store = await openStore({ dataDir, world: realWorld })
  const dirOf = (sessionId: string) => join(dataDir, 'sessions', sessionId)
  const archiveOf = (sessionId: string) => join(dataDir, 'archives', `${sessionId}.tar.gz`)
  let unpacked = 0
  return {
    dataDir,
    store,
    dirOf,
    archiveOf,
    async close(sessionId, text) {
      await store.accept([newMessage(`m-${sessionId}`, sessionId)], 1_000)
      await store.closeSession(sessionId, CLOSED_AT_MS)
      if (text !== undefined) writeIn(dirOf(sessionId), 'work/note.txt', text)
    },
    archive: (round, changes) => archiveIn({ dataDir, store, ...changes }, round),
    unpack(sessionId, ...options) {
      const to = join(dataDir, `unpacked-${unpacked++}`)
      mkdirSync(to)
      execFileSync('tar', ['xzf', archiveOf(sessionId), '-C', to, ...options])
      return join(to, sessionId.slice(sessionId.indexOf('/') + 1))
    },
    told: async () =>
      (await store.readJournal({ afterId: 0, limit: 1_000 })).filter(({ type }) => type.startsWith('session:archive')),
    async [Symbol.asyncDispose]() {
      await store.close()
      // Trees may be deeper than a path can be long.
      execFileSync('rm', ['-rf', dataDir])
    },
  }
}

export function archiveIn(
  deps: Pick<ArchiveDeps, 'dataDir' | 'store'> & Partial<ArchiveDeps>,
  round: Partial<ArchiveRound> = {},
): Promise<ArchivedSessions> {
  const nowMs = round.nowMs ?? DUE_MS
  const closed = createClosedSessions({
    world: { now: () => nowMs, boundary: () => {} },
    closedSessionsMsOf: () => DAY_MS,
    hasRoom: async () => true,
    ...deps,
  })
  const mayGoOn = async () => true
  return closed.archive({ nowMs, group: null, limit: 100, mayGoOn, mayFinish: mayGoOn, ...round })
}

export function writeIn(dir: string, path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

export function textIn(dir: string, path = 'work/note.txt'): string | null {
  return existsSync(join(dir, path)) ? readFileSync(join(dir, path), 'utf8') : null
}
