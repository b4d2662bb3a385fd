import type { Command } from 'commander'
import type { HostConfig } from '../../config/config.ts'
import { escapeLine } from '../../model/escape.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import type { Check } from '../../runtime/runtime.ts'
import { addCommand } from '../add-command.ts'
import { checkClock } from '../checks/check-clock.ts'
import { checkDataDirectory } from '../checks/check-data-dir.ts'
import { checkHost } from '../checks/check-host.ts'
import { checkStore } from '../checks/check-store.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { EXIT } from '../exit-codes.ts'
import { findConfig } from '../find-config.ts'
import { printResult } from '../print-result.ts'

/** `sessiond doctor`: everything a host needs, looked at without changing anything, host running or not. */
export function addDoctor(program: Command, context: CliContext): void {
  addCommand(program, 'doctor', 'check everything a host needs, with or without one running').action(
    async (options: CommonOptions) => {
      const checks = await examine(options, context)
      const ok = checks.every((check) => check.ok)
      printResult(context, options, { ok, checks }, () => checks.map(describeCheck).join(''))
      if (!ok) context.setExitCode(EXIT.unhealthy)
    },
  )
}

async function examine(options: CommonOptions, context: CliContext): Promise<Check[]> {
  const node: Check = { name: 'node', ok: true, detail: process.version }
  let config: HostConfig
  let source: string
  try {
    ;({ config, source } = await findConfig(options, context))
  } catch (error) {
    return [node, failedCheck('configuration', error)]
  }
  const groups = [...config.groups.keys()].join(', ')
  return [
    node,
    { name: 'configuration', ok: true, detail: `${source} (groups: ${groups})` },
    ...(await guarded('data directory', () => checkDataDirectory(config))),
    ...(await guarded('store', () => checkStore(config.dataDir))),
    ...(await guarded('clock', async () => [await checkClock(config.dataDir, context.now())])),
    ...(await guarded('lock', () => checkHost(config))),
    ...(await guarded('runtime', async () => {
      const { checkRuntimes } = await import('../checks/check-runtimes.ts')
      return checkRuntimes(config, { ...context.env })
    })),
  ]
}

/** One look that fails says so, and the others still happen. */
async function guarded(name: string, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look()
  } catch (error) {
    return [failedCheck(name, error)]
  }
}

function describeCheck({ name, ok, detail, code, cure }: Check): string {
  const mark = ok ? 'ok     ' : 'PROBLEM'
  const lines = detail.split('\n').map((line) => escapeLine(line))
  const told = `${mark}  ${escapeLine(name)}: ${lines.join('\n         ')}${code === undefined ? '' : ` [${code}]`}\n`
  return ok || cure === undefined ? told : `${told}         -> ${escapeLine(cure)}\n`
}
