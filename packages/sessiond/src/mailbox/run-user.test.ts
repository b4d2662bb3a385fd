import { chownSync, lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { projectionOf, withDatabase, writeReply } from '../../../testkit/src/mailbox-builders.ts'
import { realWorld } from '../world.ts'
import { FileMailbox } from './file-mailbox.ts'

const isRoot = process.getuid?.() === 0
const user = { uid: 54_321, gid: 54_322 }

describe('a mailbox whose run has a user of its own', () => {
  let dataDir: string
  let mailbox: FileMailbox

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sessiond-user-'))
    mailbox = new FileMailbox({
      dataDir,
      world: realWorld,
      readers: 2,
      readTimeoutMs: 5000,
      pollMs: 1000,
      takeRows: 10,
      takeBytes: 10_000,
    })
  })

  afterEach(async () => {
    await mailbox.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const sessionId = 'group/session'
  const prepare = (as: typeof user | null) => mailbox.prepare(projectionOf([]), new Map(), as)

  test.skipIf(!isRoot)('(C10) gives the run what it writes, and nothing else', async () => {
    await prepare(user)
    const paths = mailbox.pathsOf(sessionId)
    const owners = [paths.out, paths.work, join(paths.out, 'outbound.db'), paths.in, join(paths.in, 'inbound.db')].map(
      (path) => lstatSync(path).uid,
    )
    expect(owners).toEqual([user.uid, user.uid, user.uid, 0, 0])
    withDatabase(join(paths.out, 'outbound.db'), (db) => writeReply(db, 1))
    expect(await mailbox.take(sessionId, 0)).toMatchObject({ lastSeq: 1 })
  })

  test.skipIf(!isRoot)('(G4) reads no file that belongs to somebody else', async () => {
    await prepare(user)
    chownSync(join(mailbox.pathsOf(sessionId).out, 'outbound.db'), 60_000, 60_000)
    await expect(mailbox.take(sessionId, 0)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
  })

  test.skipIf(!isRoot)('takes no directory away from somebody else', async () => {
    await prepare(user)
    chownSync(mailbox.pathsOf(sessionId).work, 60_000, 60_000)
    await expect(prepare(user)).rejects.toMatchObject({ code: 'MAILBOX_UNSAFE' })
  })

  test.skipIf(isRoot)('(C10) says who cannot be given the mailbox', async () => {
    await expect(prepare(user)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })
})
