import { parseRecordingLine, type RecordingLine } from '@sessiond/protocol'
import { SessiondError } from '../model/errors.ts'

/** A recording as read. */
export interface Recording {
  /** Its own name, or its file's. */
  readonly name: string
  readonly about: string
  /** In the order of their time. */
  readonly lines: readonly RecordingLine[]
  /** From here on killing the run is right; null: never. */
  readonly stuckAtMs: number | null
  /** False: nobody has said whether it ever was stuck. */
  readonly isLabelled: boolean
}

/** Throws INVALID_RECORDING with the line that is none, or when there is none at all. */
export function readRecording(text: string, fileName: string): Recording {
  const lines: RecordingLine[] = []
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = parseLine(line, fileName, at + 1)
    if (parsed !== null) lines.push(parsed)
  }
  if (lines.length === 0) throw invalid(fileName, 1, 'has no line')
  lines.sort((a, b) => a.t - b.t)
  const meta = lines.find((line) => line.kind === 'meta')
  const label = lines.find((line) => line.kind === 'label' && line.stuck)
  const isLabelled = meta?.kind !== 'meta' || meta.labelled !== false
  const name = meta?.kind === 'meta' && meta.trace !== '' ? meta.trace : fileName
  return { name, about: meta?.kind === 'meta' ? meta.about : '', lines, stuckAtMs: label?.t ?? null, isLabelled }
}

function parseLine(line: string, fileName: string, number: number): RecordingLine | null {
  try {
    return parseRecordingLine(line)
  } catch (error) {
    throw invalid(fileName, number, error instanceof Error ? error.message : String(error))
  }
}

function invalid(fileName: string, line: number, what: string): SessiondError {
  return new SessiondError('INVALID_RECORDING', `${fileName}, line ${line}: ${what}.`, {
    fields: { file: fileName, line },
  })
}
