import { escapeLine } from '../../model/escape.ts'
import { formatInstant } from './time.ts'

const LINE_CHARS = 400
const WARN_LEVEL = 40
const ERROR_LEVEL = 50

/** What the host's logger writes as one line of JSON. */
interface LogRecord {
  readonly level: number
  readonly time: number
  readonly msg?: string
  readonly sessionId?: string | null
  readonly epoch?: number | null
  readonly messageId?: string | null
  readonly detail?: Readonly<Record<string, unknown>>
  readonly err?: { readonly message?: string }
}

/** A line of the log for a person at a terminal; a line that is none of the logger's is shown as it is. */
export function describeLogLine(line: string): string {
  const record = parseRecord(line)
  if (record === null) return `${escapeLine(line.trimEnd())}\n`
  const { level, time, msg, sessionId, epoch, messageId, detail, err } = record
  const details = Object.entries(detail ?? {}).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const run = epoch == null ? null : `run ${epoch}`
  const parts = [formatInstant(time), wordOf(level), msg, sessionId, run, messageId, ...details, err?.message]
  const words = parts.filter((part) => part != null && part !== '')
  return `${escapeLine(words.join('  '), LINE_CHARS)}\n`
}

function parseRecord(line: string): LogRecord | null {
  try {
    const value = JSON.parse(line) as LogRecord | null
    return typeof value?.time === 'number' && typeof value.level === 'number' ? value : null
  } catch {
    // Not the logger's: shown as it is.
    return null
  }
}

function wordOf(level: number): string | null {
  if (level >= ERROR_LEVEL) return 'ERROR'
  return level >= WARN_LEVEL ? 'WARNING' : null
}
