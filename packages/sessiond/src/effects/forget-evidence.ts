import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { EffectDeps } from './deps.ts'

/** Recordings of ended runs that a session keeps, the newest. */
export const KEPT_RECORDINGS = 20

/** Black boxes of stuck runs that a session keeps, the newest. */
export const KEPT_BLACK_BOXES = 20

const KEPT = [
  { pattern: /^([1-9][0-9]*)\.recording\.jsonl$/, count: KEPT_RECORDINGS },
  { pattern: /^([1-9][0-9]*)\.blackbox\.json$/, count: KEPT_BLACK_BOXES },
]

/** Removes what was kept of runs long past, and nothing else. Never fails a settlement: the next one tries again. */
export async function forgetOldEvidence(deps: Pick<EffectDeps, 'mailbox'>, sessionId: string): Promise<void> {
  const { runs } = deps.mailbox.pathsOf(sessionId)
  const names = await readdir(runs).catch(() => [])
  const old = KEPT.flatMap(({ pattern, count }) => newestFirst(names, pattern).slice(count))
  await Promise.all(old.map((name) => unlink(join(runs, name)).catch(() => {})))
}

function newestFirst(names: readonly string[], pattern: RegExp): string[] {
  const epochOf = (name: string) => Number(pattern.exec(name)?.[1])
  return names.filter((name) => pattern.test(name)).sort((a, b) => epochOf(b) - epochOf(a))
}
