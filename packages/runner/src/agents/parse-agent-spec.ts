import { type CommandAgentSpec, PROTOCOL_LIMITS, RUN_ENV } from '@sessiond/protocol'
import { RunnerError } from '../errors.ts'

/** Reads SESSIOND_AGENT; unknown fields are a newer host's and ignored. Throws BAD_CONFIGURATION naming the field. */
export function parseAgentSpec(json: string | null): CommandAgentSpec {
  if (json === null) throw bad('is not set; a program of its own calls runAgent instead of starting this runner')
  const spec = parseObject(json)
  if (spec.kind !== 'command') throw bad(`kind must be "command", not ${JSON.stringify(spec.kind)}`)
  const { command, per } = spec
  if (!isCommand(command)) throw bad('command must be a list of strings that begins with a program')
  if (per !== 'message' && per !== 'batch') throw bad(`per must be "message" or "batch", not ${JSON.stringify(per)}`)
  const timeoutMs = positiveInteger('timeoutMs', spec.timeoutMs)
  const maxReplyBytes = positiveInteger('maxReplyBytes', spec.maxReplyBytes)
  return {
    kind: 'command',
    command,
    per,
    timeoutMs,
    maxReplyBytes: Math.min(maxReplyBytes, PROTOCOL_LIMITS.contentBytes),
  }
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // The parser's own words quote the text, and with it perhaps a secret of the command line.
    throw bad('is not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('must be a JSON object')
  return Object.fromEntries(Object.entries(value))
}

function isCommand(value: unknown): value is readonly [string, ...string[]] {
  if (!Array.isArray(value) || value.length === 0 || value[0] === '') return false
  return value.every((part) => typeof part === 'string' && !part.includes('\0'))
}

function positiveInteger(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw bad(`${field} must be a positive integer, not ${JSON.stringify(value)}`)
}

function bad(what: string): RunnerError {
  return new RunnerError('BAD_CONFIGURATION', `${RUN_ENV.agent} ${what}`)
}
