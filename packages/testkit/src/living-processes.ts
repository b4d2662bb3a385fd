import { readdir, readFile } from 'node:fs/promises'
import { RUN_ENV } from '@sessiond/protocol'

/**
 * Pids of all living processes, in containers too when asked by root, that carry this run's name: what a test
 * compares a runtime's word with. Knows Linux only; elsewhere it finds nothing.
 */
export async function livingProcesses(runName: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const isOfRun = await Promise.all(pids.map((pid) => carries(pid, `${RUN_ENV.run}=${runName}`)))
  return pids.filter((_, index) => isOfRun[index])
}

async function carries(pid: number, variable: string): Promise<boolean> {
  try {
    // A zombie's environment reads as empty.
    return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(variable)
  } catch {
    // Ended meanwhile, or another user's.
    return false
  }
}
