import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Programs } from './build-programs.ts'
import type { HostJob, HostWord } from './crash-host.ts'

/** Marks every process a case's host starts on its own account, so that what is left over can be found. */
export const CASE_VARIABLE = 'CRASH_CASE'

/** How one host process went. */
export interface LivedLife {
  readonly words: readonly HostWord[]
  /** Where it died; null: it stopped cleanly. */
  readonly diedAt: string | null
  readonly stderr: string
}

/** Ends a host that does not come to its end; far beyond what any life takes. */
const LIFE_TIMEOUT_MS = 180_000

/** Runs one host process to its end; throws when it ends in a way that was not planned, or not at all. */
export async function liveLife(programs: Programs, job: HostJob, caseDir: string): Promise<LivedLife> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', programs.host, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: `${programs.dir}/cache`, [CASE_VARIABLE]: caseDir },
    signal: AbortSignal.timeout(LIFE_TIMEOUT_MS),
    killSignal: 'SIGKILL',
  })
  let overdue: Error | null = null
  child.on('error', (error) => {
    overdue = error
  })
  const words: HostWord[] = []
  createInterface({ input: child.stdout }).on('line', (line) => words.push(JSON.parse(line) as HostWord))
  const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'close')])
  const last = words.at(-1)
  if (overdue !== null) throw new Error(`a host did not come to its end: ${overdue}\n${stderr}`)
  if (last?.word === 'died' && signal === 'SIGKILL') return { words, diedAt: last.at, stderr }
  if (last?.word === 'stopped' && code === 0) return { words, diedAt: null, stderr }
  throw new Error(`a host ended with ${signal ?? `code ${code}`} after ${JSON.stringify(last)}\n${stderr}`)
}
