import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'
import { NEEDS_PYTHON } from './needs.ts'

/** A suite that needs a `python3` with SQLite: left out where there is none, and said so at the end of the run. */
export function describeWithPython(title: string, suite: () => void): void {
  describe.skipIf(!hasPython())(`${title} ${NEEDS_PYTHON}`, suite)
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sqlite3'], { stdio: 'ignore' })
    return true
  } catch {
    // Missing, or built without SQLite: either way the suite cannot run.
    return false
  }
}
