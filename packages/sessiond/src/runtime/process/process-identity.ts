/** One process for ever: a pid alone is reused, the instant of its start with it is not. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, as its system tells it; opaque, only ever compared. */
  readonly startId: string
}

/** Writes an identity as a run handle's id. */
export function formatIdentity({ pid, startId }: ProcessIdentity): string {
  return `${pid}:${startId}`
}

/** Reads a run handle's id; undefined when it is none, so that no signal can go to a pid nobody wrote. */
export function parseIdentity(id: string): ProcessIdentity | undefined {
  const match = /^([1-9]\d{0,9}):(.+)$/.exec(id)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  const pid = Number(match[1])
  // 1 is init; as a group it would be everything.
  return pid > 1 ? { pid, startId: match[2] } : undefined
}
