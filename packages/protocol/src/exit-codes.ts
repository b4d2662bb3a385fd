/** Exit codes of a runner that mean something to the host. Any other code is a failure of the run. */
export const RUNNER_EXIT = {
  /** Stopped on request, or had nothing left to do. */
  ok: 0,
  /** The environment or agent specification is unusable (EX_CONFIG). Trying again will not help. */
  badConfiguration: 78,
  /** `inbound.db` belongs to another epoch: a newer run owns the session (EX_TEMPFAIL). */
  superseded: 75,
  /** The mailbox cannot be written as this user (EX_CANTCREAT). */
  mailboxUnwritable: 73,
} as const
