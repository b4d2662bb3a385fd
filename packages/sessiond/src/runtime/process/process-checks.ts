import { constants, existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { checkOne } from '../check-one.ts'
import type { Check, RuntimeGroupCheck } from '../runtime.ts'
import { findProgram } from './find-program.ts'

export interface ProcessChecks {
  readonly groups: readonly RuntimeGroupCheck[]
  readonly path: string
  readonly runnerPath: () => string
  /** Where the runs are registered; only looked at, because a running host writes there. */
  readonly registryDir: string
}

/** Doctor's checks of the process runtime: its registry, the runner and each group's program. Never throws. */
export async function checkProcessRuntime(checks: ProcessChecks): Promise<Check[]> {
  return [
    await checkOne('process runtime', 'Make the data directory readable and writable.', async () => {
      if (!existsSync(checks.registryDir)) return 'no run has been registered yet'
      await access(checks.registryDir, constants.R_OK | constants.W_OK | constants.X_OK)
      return `${checks.registryDir} is readable and writable`
    }),
    await checkOne('bundled runner', 'Run `npm run build`.', async () => {
      const path = checks.runnerPath()
      await access(path)
      return path
    }),
    ...(await Promise.all(checks.groups.map((group) => checkCommand(group, checks.path)))),
  ]
}

function checkCommand({ group, command }: RuntimeGroupCheck, path: string): Promise<Check> {
  return checkOne(`command of group ${group}`, "Install the program, or correct the group's command.", async () => {
    const [program = ''] = command
    const found = await findProgram(program, path, '/')
    if (found === undefined) throw new Error(`no program ${JSON.stringify(program)} in PATH`)
    return found
  })
}
