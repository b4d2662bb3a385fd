import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { SessiondError } from '../../model/errors.ts'
import type { RunLimits } from '../runtime.ts'
import { openLog } from './bounded-log.ts'

/**
 * What V8 reserves in every Node process without using it. The data limit counts it, so a limit below would keep
 * the runner from starting at all.
 */
const NODE_RESERVE_BYTES = 640 * 1024 * 1024

/** A launcher that waits: the run's process before it is the run. */
export interface Launcher {
  readonly child: ChildProcess
  readonly pid: number
  /** Ending it with a line lets the run go; ending it without one, or dying, ends the launcher. */
  readonly gate: Writable
}

export interface Launch {
  readonly command: readonly string[]
  readonly workDir: string
  readonly environment: Readonly<Record<string, string>>
  readonly logPath: string
  readonly limits: RunLimits
}

/**
 * Starts a shell in a session and process group of its own that waits for a line on a pipe before it becomes the
 * run: nothing of the agent executes before the host has recorded the handle. The pipe closes with the host, so a
 * launcher whose host died ends by itself.
 */
export async function spawnLauncher(launch: Launch): Promise<Launcher> {
  await using log = await openLog(launch.logPath)
  const child = spawn('/bin/sh', ['-c', launcherScript(launch.limits), 'sessiond-run', ...launch.command], {
    cwd: launch.workDir,
    env: { ...launch.environment },
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
    // setsid: signals reach the whole group, a terminal's interrupt to the host does not.
    detached: true,
  })
  await once(child, 'spawn').catch((error: NodeJS.ErrnoException) => {
    // Not as the cause: it carries the arguments.
    throw new SessiondError(
      'RUNTIME_REFUSED',
      `The run's process could not be started in ${launch.workDir}: ${error.code}.`,
    )
  })
  const gate = child.stdio[3] as Writable & { unref(): void }
  // Writing to a launcher that has died is told by its exit.
  gate.on('error', () => {})
  gate.unref()
  child.unref()
  return { child, pid: child.pid ?? 0, gate }
}

/** Lets a waiting launcher become its run; resolves when it has been told. */
export async function openGate(gate: Writable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    gate.once('error', reject)
    gate.end('go\n', resolve)
  })
}

/** The shell program. A limit the system refuses is left at what it was: it was lower already. */
function launcherScript(limits: RunLimits): string {
  const lines = ['read -r go <&3 || exit 0', '[ "$go" = go ] || exit 0', 'exec 3<&-', 'ulimit -c 0 2>/dev/null || :']
  if (limits.fileBytes !== null) lines.push(`ulimit -f ${Math.ceil(limits.fileBytes / 512)} 2>/dev/null || :`)
  if (limits.memoryBytes !== null && process.platform === 'linux') {
    lines.push(`ulimit -d ${Math.ceil((limits.memoryBytes + NODE_RESERVE_BYTES) / 1024)} 2>/dev/null || :`)
  }
  return [...lines, 'exec "$@"'].join('\n')
}
