import { readdir, readFile } from 'node:fs/promises'
import type { HostConfig } from '../../src/config/config.ts'
import { createRuntimes } from '../../src/runtime/create-runtimes.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { realWorld } from '../../src/world.ts'
import { endAllRuns } from '../runtime/end-all-runs.ts'

/** What a finished case still has going: containers of its install, and processes that carry its directory. */
export async function findLeftovers(config: HostConfig, installId: string, caseDir: string): Promise<string[]> {
  const runs = await withRuntimes(config, installId, async (runtime) => {
    return (await runtime.list()).map(({ name, isRunning }) => `${name}${isRunning ? ', running' : ''}`)
  })
  const processes = await processesOf(caseDir)
  return [...runs.flat().map((run) => `left: run ${run}`), ...processes.map((pid) => `left: process ${pid}`)]
}

/** Ends whatever a failed case left, so that it disturbs no other. */
export async function endLeftovers(config: HostConfig, installId: string, caseDir: string): Promise<void> {
  await withRuntimes(config, installId, endAllRuns)
  for (const pid of await processesOf(caseDir)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended meanwhile.
    }
  }
}

async function withRuntimes<T>(
  config: HostConfig,
  installId: string,
  ask: (runtime: Runtime) => Promise<T>,
): Promise<T[]> {
  const runtimes = [...createRuntimes({ config, world: realWorld, installId, hostEnvironment: process.env }).values()]
  try {
    return await Promise.all(runtimes.map(ask))
  } finally {
    await Promise.all(runtimes.map((runtime) => runtime.close()))
  }
}

/** Pids of living processes whose environment names the case's directory. Knows Linux only. */
async function processesOf(caseDir: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const isOfCase = await Promise.all(
    pids.map(async (pid) => {
      // Ended meanwhile, or another user's; a zombie's environment reads as empty.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(caseDir)
    }),
  )
  return pids.filter((_, index) => isOfCase[index])
}
