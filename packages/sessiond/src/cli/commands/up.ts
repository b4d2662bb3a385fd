import type { Command } from 'commander'
import type { Logger } from 'pino'
import { loadConfig } from '../../config/load-config.ts'
import type { Host } from '../../create-host.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { exampleConfig, type FoundConfig } from '../find-config.ts'
import { describeLogLine } from '../format/log-line.ts'
import { printResult } from '../print-result.ts'

interface UpOptions extends CommonOptions {
  readonly example?: boolean
}

/** `sessiond up`: runs the host in the foreground until SIGINT or SIGTERM; the second one ends it at once. */
export function addUp(program: Command, context: CliContext): void {
  addCommand(program, 'up', 'start the host, in the foreground')
    .option('--example', 'use a built-in example: a group `shell` that runs each text as a script')
    .action(async ({ example, ...options }: UpOptions) => {
      const found = example === true ? exampleConfig(context) : await loadHostConfig(options, context)
      // Loaded here alone: every other command starts faster without the host.
      const { createHost } = await import('../../create-host.ts')
      const host = createHost(
        found.config,
        context.isErrTerminal ? { logger: await terminalLogger(context, found) } : {},
      )
      // From here on: an engine that hangs makes a start last, and ending it there is as safe as anywhere.
      const interrupted = context.handleInterrupt()
      context.outliveReader()
      await host.start()
      printResult(context, options, { url: host.apiUrl, dataDir: host.config.dataDir, pid: process.pid }, () =>
        describeHost(host, found),
      )
      await stopped(host, interrupted, context)
    })
}

async function loadHostConfig(options: CommonOptions, context: CliContext): Promise<FoundConfig> {
  const { file, config } = await loadConfig(options.config, context)
  return { config, source: file }
}

/** One line a record for a person; JSON, the default, is for whatever collects logs. */
async function terminalLogger(context: CliContext, { config }: FoundConfig): Promise<Logger> {
  const { pino } = await import('pino')
  return pino({ level: config.log.level }, { write: (line) => context.err(describeLogLine(line)) })
}

async function stopped(host: Host, interrupted: AbortSignal, context: CliContext): Promise<void> {
  if (!interrupted.aborted) {
    await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }))
  }
  context.err('Stopping: running work may finish. Once more to stop at once; nothing accepted is lost either way.\n')
  await host.stop()
}

function describeHost({ apiUrl, config }: Host, { source }: FoundConfig): string {
  const [group = 'group'] = config.groups.keys()
  const script = `'echo hello > note; ls -l; date'`
  return `sessiond is up at ${apiUrl} (configuration ${source}).
Data directory: ${config.dataDir}

Next, in another terminal in this directory:

  npx sessiond send ${group} ${script} --wait
  npx sessiond show ${group}
  npx sessiond tail

Ctrl-C stops it.
`
}
