import type { Command } from 'commander'
import type { HostConfig } from '../../config/config.ts'
import { escapeLine } from '../../model/escape.ts'
import type { Repair } from '../../repair/repair-misfits.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import type { Check } from '../../runtime/runtime.ts'
import { realWorld } from '../../world.ts'
import { addCommand } from '../add-command.ts'
import { checkClock } from '../checks/check-clock.ts'
import { checkDataDirectory } from '../checks/check-data-dir.ts'
import { checkHost } from '../checks/check-host.ts'
import { checkStore } from '../checks/check-store.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { EXIT } from '../exit-codes.ts'
import { findConfig } from '../find-config.ts'
import { printResult } from '../print-result.ts'

interface DoctorOptions extends CommonOptions {
  readonly repair?: boolean
  readonly newInstallId?: boolean
}

/**
 * `sessiond doctor`: everything a host needs, looked at without changing anything, host running or not. With `--repair`
 * what files, store and runtimes disagree about is set right first, with `--new-install-id` a copy gets an id of its own;
 * no running host may be in the way of either.
 */
export function addDoctor(program: Command, context: CliContext): void {
  addCommand(program, 'doctor', 'check everything a host needs, with or without one running')
    .option('--repair', 'first set right what is left over or missing; only while no host is running')
    .option('--new-install-id', 'make a copy of a data directory an install of its own; only while no host is running')
    .action(async (options: DoctorOptions) => {
      const repairs = await repair(options, context)
      const checks = await examine(options, context)
      const ok = checks.every((check) => check.ok) && (repairs ?? []).every((each) => each.done)
      const result = { ok, ...(repairs === null ? {} : { repairs }), checks }
      printResult(context, options, result, () => describeRepairs(repairs) + checks.map(describeCheck).join(''))
      if (!ok) context.setExitCode(EXIT.unhealthy)
    })
}

/** Null: nothing was to be changed. */
async function repair(options: DoctorOptions, context: CliContext): Promise<Repair[] | null> {
  if (options.repair !== true && options.newInstallId !== true) return null
  const { config } = await findConfig(options, context)
  const { renewInstall, repairDataDir } = await import('../../repair/repair-data-dir.ts')
  const world = { ...realWorld, now: () => context.now() }
  const renewed = options.newInstallId === true ? [await renewInstall({ config, world })] : []
  if (options.repair !== true) return renewed
  return [...renewed, ...(await repairDataDir({ config, world, hostEnvironment: { ...context.env } }))]
}

function describeRepairs(repairs: readonly Repair[] | null): string {
  if (repairs === null) return ''
  if (repairs.length === 0) return 'Nothing had to be repaired.\n\n'
  return `${repairs.map(({ done, what }) => `${done ? 'REPAIRED' : 'FAILED  '} ${escapeLine(what)}\n`).join('')}\n`
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
    ...(await guarded('leftovers', async () => {
      const { checkLeftovers } = await import('../checks/check-leftovers.ts')
      return checkLeftovers(config, { ...context.env }, context.now())
    })),
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
