import { MailboxFailure } from './mailbox-failure.ts'

const hostPid = process.ppid

/**
 * Throws when the host that asked has died: called before each step that changes what others see, because a
 * newer host may already be working on the same session.
 */
export function assertHostAlive(): void {
  if (process.ppid !== hostPid) throw new MailboxFailure('HOST_STOPPING', 'The host has gone.')
}
