import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type CommandAgentSpec, RUN_ENV, tellRetryBrief } from '@sessiond/protocol'
import type { AgentContext } from '../agent-context.ts'
import type { AgentMessage } from '../agent-message.ts'
import { describeError } from '../errors.ts'
import { RetryLater } from '../retry-later.ts'
import type { RunEnvironment } from '../run-environment.ts'
import type { Program } from '../run-program.ts'
import { type RunnerWorld, realRunnerWorld } from '../world.ts'
import { inputOf } from './input-of.ts'
import { LineTail } from './line-tail.ts'
import { parseRetryHint, TEMPORARY_FAILURE_EXIT } from './parse-retry-hint.ts'
import { type CommandEnd, runCommand } from './run-command.ts'
import { timeVariables } from './time-variables.ts'

/** How much of stderr an error quotes. */
const TAIL_CHARS = 2_000

/** The agent that runs a program on the text: stdin is the message, stdout the reply, stderr progress and log. */
export function commandAgent(
  spec: CommandAgentSpec,
  environment: RunEnvironment,
  world: RunnerWorld = realRunnerWorld,
): Program {
  return { per: spec.per, handler: (messages, context) => answer(spec, environment, world, messages, context) }
}

async function answer(
  spec: CommandAgentSpec,
  environment: RunEnvironment,
  world: RunnerWorld,
  messages: readonly AgentMessage[],
  context: AgentContext,
): Promise<string | undefined> {
  const program = basename(spec.command[0] ?? '')
  const tail = new LineTail(TAIL_CHARS)
  const { message, timeZone } = context
  const lease = context.tool(program, { timeoutMs: spec.timeoutMs })
  try {
    const end = await runCommand({
      command: spec.command,
      input: inputOf(messages),
      cwd: environment.workDir,
      environment: {
        ...commandEnvironment(environment, message),
        ...timeVariables(messages, { message, timeZone, nowMs: world.now() }),
      },
      timeoutMs: spec.timeoutMs,
      maxOutputBytes: spec.maxReplyBytes,
      signal: context.signal,
      world,
      onErrorLine: (line) => {
        tail.add(line)
        context.progress(line)
      },
    }).catch((error: unknown) => {
      throw startError(error, spec.command[0] ?? '', environment.workDir)
    })
    return replyOf(end, tail, { program, spec, nowMs: world.now() })
  } finally {
    lease.end()
  }
}

function commandEnvironment(environment: RunEnvironment, message: AgentMessage): Record<string, string | undefined> {
  const { [RUN_ENV.agent]: _, ...rest } = process.env
  return {
    ...rest,
    SESSIOND_MESSAGE_ID: message.id,
    // Not in front of the text: that may be a script.
    ...(message.brief === null ? {} : { SESSIOND_BRIEF: tellRetryBrief(message.brief) }),
    [RUN_ENV.session]: environment.session,
    [RUN_ENV.work]: environment.workDir,
  }
}

function replyOf(
  end: CommandEnd,
  tail: LineTail,
  { program, spec, nowMs }: { program: string; spec: CommandAgentSpec; nowMs: number },
): string | undefined {
  if (end.because === 'aborted') throw new Error(`${program} was stopped`)
  if (end.because === 'timeout') throw new Error(withTail(`${program} timed out after ${spec.timeoutMs} ms`, tail))
  if (end.code === 0) return textOf(end, spec.maxReplyBytes)
  const what = end.code === null ? `was killed by ${end.signal}` : `exited with code ${end.code}`
  const hint = end.code === TEMPORARY_FAILURE_EXIT ? parseRetryHint(tail.lastLine(), nowMs) : undefined
  if (hint !== undefined) {
    const reason = withTail(`${program} asks to be tried again later`, tail)
    throw new RetryLater(hint.at, reason, hint.trouble === null ? {} : { trouble: hint.trouble })
  }
  throw new Error(withTail(`${program} ${what}`, tail))
}

function textOf({ output }: CommandEnd, maxReplyBytes: number): string | undefined {
  if (output.isCut) return `${output.text()}\n[cut: the command wrote more than ${maxReplyBytes} bytes]`
  const text = output.text().replace(/[\r\n]+$/, '')
  return text === '' ? undefined : text
}

function withTail(what: string, tail: LineTail): string {
  const text = tail.text()
  return text === '' ? what : `${what}:\n${text}`
}

function startError(error: unknown, program: string, workDir: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOENT') return new Error(`cannot start "${program}": ${describeError(error)}`, { cause: error })
  const what = existsSync(workDir) ? 'there is no such program' : `the work directory ${workDir} is missing`
  return new Error(`cannot start "${program}": ${what}`, { cause: error })
}
