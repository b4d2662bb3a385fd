import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { FIXTURES_DIR } from './fixtures.ts'

export type Hold = 'reading' | 'exclusive' | 'spilled' | 'wal'

/** A process that holds a database; `kill` resolves once it is gone. */
export interface DatabaseHolder {
  kill(): Promise<void>
}

/** Starts a real process that holds a database in the way named, and resolves once it does. */
export async function holdDatabase(path: string, how: Hold): Promise<DatabaseHolder> {
  const program = join(FIXTURES_DIR, 'holds-a-database.mjs')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, path, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error(`the process that should hold ${how} has ended`)
    }),
  ])
  return {
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Leaves a database with a hot journal, as a process killed -9 inside a transaction does. */
export async function leaveHotJournal(path: string): Promise<void> {
  const holder = await holdDatabase(path, 'spilled')
  await holder.kill()
}
