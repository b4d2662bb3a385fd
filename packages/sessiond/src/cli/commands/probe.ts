import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { RecordingLine } from '@sessiond/protocol'
import type { Command } from 'commander'
import { SessiondError } from '../../model/errors.ts'
import type { ProbePrompt } from '../../probe/probe-runner.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { durationMs } from '../parse-option.ts'
import { printResult } from '../print-result.ts'

interface ProbeOptions extends CommonOptions {
  readonly prompt: readonly string[]
  readonly at?: readonly number[]
  readonly out?: string
  readonly timeout: number
  readonly stdin?: boolean
  readonly model?: string
  readonly permissionMode?: string
  readonly sdk?: string
  readonly cwd?: string
  readonly hangHook?: string
}

const collect =
  <Value>(read: (text: string) => Value) =>
  (text: string, before: readonly Value[] = []): Value[] => [...before, read(text)]

/** `sessiond probe`: puts prompts to the Claude Agent SDK, or to any runner, and writes down what its clocks do. */
export function addProbe(program: Command, context: CliContext): void {
  addCommand(program, 'probe', 'put prompts to the Claude Agent SDK, or to any runner, and record what happens')
    .argument('[command...]', 'a runner that speaks the mailbox protocol (default: the Claude Agent SDK)')
    .requiredOption('--prompt <text>', 'what to say; again for more', collect(String))
    .option('--at <time>', 'when to say the first, the second …, such as 30s (default: at once)', collect(durationMs))
    .option('--out <file>', 'where the recording goes (default: standard output)')
    .option('--timeout <time>', 'end the recording then, such as 10m', durationMs, 600_000)
    .option('--stdin', 'the command gets the prompt on its standard input, as agent.command does')
    .option('--model <name>', 'SDK: the model')
    .option('--permission-mode <mode>', 'SDK: such as bypassPermissions')
    .option('--sdk <module>', 'SDK: load it from elsewhere, such as a file URL')
    .option('--cwd <folder>', 'SDK: where it works (default: a folder of its own)')
    .option('--hang-hook <name>', 'SDK: a hook that is never answered, such as PreToolUse')
    .action(async (command: readonly string[], options: ProbeOptions) => {
      const lines = await probe(command, options, context)
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      if (options.out === undefined) {
        context.out(text)
        return
      }
      const file = resolve(context.cwd, options.out)
      await writeFile(file, text)
      printResult(context, options, { file, lines: lines.length }, () => `${lines.length} lines in ${file}\n`)
    })
}

async function probe(
  command: readonly string[],
  options: ProbeOptions,
  context: CliContext,
): Promise<readonly RecordingLine[]> {
  const prompts = promptsOf(options)
  const common = { prompts, timeoutMs: options.timeout, signal: context.handleInterrupt() }
  if (command.length > 0) {
    const { probeRunner } = await import('../../probe/probe-runner.ts')
    return probeRunner({ ...common, agent: options.stdin === true ? { command } : { runner: command } })
  }
  const { probeClaudeSdk } = await import('../../probe/probe-claude-sdk.ts')
  const { model, permissionMode, sdk, hangHook, cwd } = options
  return probeClaudeSdk({
    ...common,
    workDir: cwd === undefined ? null : resolve(context.cwd, cwd),
    trace: 'probe',
    ...(hangHook === undefined ? {} : { hangHook }),
    agent: {
      ...(model === undefined ? {} : { model }),
      ...(permissionMode === undefined ? {} : { permissionMode }),
      ...(sdk === undefined ? {} : { sdk }),
    },
  })
}

function promptsOf({ prompt, at = [] }: ProbeOptions): ProbePrompt[] {
  if (at.length > prompt.length) {
    throw new SessiondError('BAD_REQUEST', `There are ${at.length} times for ${prompt.length} prompts.`, {
      cure: 'Give each --at its --prompt.',
    })
  }
  return prompt.map((text, index) => ({ text, atMs: at[index] ?? 0 }))
}
