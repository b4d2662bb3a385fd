import { join } from 'node:path'
import { HEARTBEAT_FILE, INBOUND_DB, OUTBOUND_DB } from '@sessiond/protocol'
import { fileStamp } from './file-stamp.ts'
import { makeInbound, makeOutbound } from './fresh-database.ts'
import { assertHostAlive } from './host-alive.ts'
import { lookCloselyAt, removeDatabase, removeEntry, replaceDatabase } from './host-files.ts'
import { MailboxFailure } from './mailbox-failure.ts'
import type { PrepareInput, RebuildInput } from './operations.ts'
import { ensureHostDirectories, ensureRunDirectories, hostUser } from './session-directories.ts'

/** Makes a fresh mailbox, whatever stood there before; returns the stamp of the new `inbound.db`. */
export function prepareMailbox(input: PrepareInput): string {
  const { paths } = input
  ensureHostDirectories(input.dataDir, paths)
  ensureRunDirectories(paths, input.user)
  const fresh = join(paths.root, '.outbound.new')
  makeOutbound(fresh, input.sessionState, input.stateAt, input.user ?? hostUser())
  assertHostAlive()
  // The old files go first, with claims and heartbeat of the run before: nothing of it can be taken for the next one's.
  const outbound = join(paths.out, OUTBOUND_DB)
  removeDatabase(outbound)
  removeEntry(join(paths.out, HEARTBEAT_FILE))
  replaceDatabase(fresh, outbound)
  return placeInbound(input)
}

/** Puts a complete new `inbound.db` in place of a lost, torn or foreign one; returns its stamp. */
export function rebuildInbound(input: RebuildInput): string {
  ensureHostDirectories(input.dataDir, input.paths)
  return placeInbound(input)
}

function placeInbound(input: RebuildInput): string {
  const fresh = join(input.paths.root, '.inbound.new')
  makeInbound(fresh, input.inbound)
  assertHostAlive()
  const place = join(input.paths.in, INBOUND_DB)
  replaceDatabase(fresh, place)
  const seen = lookCloselyAt(place)
  const stamp = seen === undefined ? null : fileStamp(seen)
  if (stamp === null) throw new MailboxFailure('MAILBOX_TORN', 'The new inbound.db has vanished.')
  return stamp
}
