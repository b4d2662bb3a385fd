import { resolve } from 'node:path'
import type { Command } from 'commander'
import { compileConfig } from '../../config/compile-config.ts'
import type { SessionPolicy } from '../../decide/decide-session.ts'
import { inspectInstallation } from '../../nanoclaw/inspect-installation.ts'
import { openInstallation } from '../../nanoclaw/open-installation.ts'
import { realWorld } from '../../world.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { formatInspection } from '../format/inspection.ts'
import { printResult } from '../print-result.ts'

/** `sessiond inspect`: a NanoClaw v2 installation as sessiond sees it. */
export function addInspect(program: Command, context: CliContext): void {
  addCommand(program, 'inspect', 'show a NanoClaw v2 installation, and what sessiond would do with it; changes nothing')
    .argument('<root>', 'the root folder of the installation')
    .action(async (root: string, options: CommonOptions) => {
      await using reader = await openInstallation(resolve(context.cwd, root), 'nanoclaw-v2', realWorld)
      const inspection = await inspectInstallation(reader, defaultPolicy(context.cwd), () => context.now())
      printResult(context, options, inspection, () => formatInspection(inspection))
    })
}

/** What a host judges by that configures nothing. */
function defaultPolicy(baseDir: string): SessionPolicy {
  const options = { groups: { any: { agent: { command: ['any'] } } } }
  const { defaults, runs } = compileConfig(options, { env: {}, baseDir, source: 'inspect' })
  return { ...defaults, runs }
}
