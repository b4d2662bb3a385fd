import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../model/run.ts'
import type { EffectDeps } from './deps.ts'

/** Where a run's output is kept, host-only. */
export function runLogPath(deps: Pick<EffectDeps, 'mailbox'>, sessionId: string, epoch: number): string {
  return join(deps.mailbox.pathsOf(sessionId).runs, `${epoch}.log`)
}

/**
 * Keeps the tail of an ended run's output before its container goes (H3). A runtime that writes the file itself has
 * done so already. Never fails a settlement: a lost log is a pity, a lost settlement a bug.
 */
export async function saveRunLog(deps: EffectDeps, run: Run): Promise<void> {
  const runtime = deps.runtimes.get(run.runtime)
  if (run.handle === null || runtime === undefined) return
  const path = runLogPath(deps, run.sessionId, run.epoch)
  const maxBytes = deps.config.groups.get(run.group)?.limits.logBytes ?? 64 * 1024
  try {
    if (await exists(path)) return
    await writeFile(path, await runtime.readLog(run.handle, maxBytes), { mode: 0o600 })
  } catch {
    // Unreachable engine or full disk: said above why this is not passed on.
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
