import type { BlackBox } from '../model/black-box.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Run, RunExit } from '../model/run.ts'
import { tellCause } from './tell-cause.ts'
import { tellOutcome } from './tell-outcome.ts'
import { instantWords, plain, quoted, sizeWords, spanWords } from './words.ts'

/**
 * What became of a run and why, a sentence each. `lines`: its journal, oldest first. What it printed is no part of it:
 * that is the run's word, of any number of lines, and stays in the box.
 */
export function tellRun(run: Run, lines: readonly JournalRecord[], box: BlackBox | null): string[] {
  const outcomes = lines.filter((line) => line.messageId !== null).map(tellOutcome)
  return [
    tellBeginning(run),
    ...tellEnd(run),
    ...outcomes.filter((sentence) => sentence !== null),
    ...(box === null ? [] : tellBox(box)),
  ]
}

function tellBeginning(run: Run): string {
  const what = `Run ${run.epoch} of ${plain(run.sessionId)} (${plain(run.runtime)})`
  if (run.startedAtMs !== null) return `${what} was started at ${instantWords(run.startedAtMs)}.`
  return run.state === 'gone' ? `${what} did not come up.` : `${what} is being started.`
}

function tellEnd(run: Run): string[] {
  if (run.stopIntendedAtMs !== null) return [tellStop(run, run.stopIntendedAtMs), ...tellGone(run)]
  if (run.state !== 'gone') return ['It is running, and nothing has asked it to end.']
  return [`It ended by itself${at(run.endedAtMs)}: ${tellExit(run.exit)}.`]
}

function tellStop(run: Run, stopIntendedAtMs: number): string {
  const asked = `It was asked to end at ${instantWords(stopIntendedAtMs)} because ${tellCause(run)}.`
  if (run.killSentAtMs === null) return asked
  return `${asked} It did not within ${spanWords(run.killSentAtMs - stopIntendedAtMs)}, and was killed.`
}

function tellGone(run: Run): string[] {
  if (run.state === 'gone') return [`Its exit was confirmed${at(run.endedAtMs)}: ${tellExit(run.exit)}.`]
  if (run.state === 'unkillable') return ['It survived SIGKILL: its session gets no new run until it is gone.']
  return ['It is not gone yet.']
}

function tellExit(exit: RunExit | null): string {
  if (exit === null) return 'how is not known'
  const signal = exit.signal === null ? null : plain(exit.signal)
  const how = signal ?? (exit.code === null ? 'how is not known' : `code ${exit.code}`)
  return exit.oomKilled ? `${how}, out of memory` : how
}

function at(ms: number | null): string {
  return ms === null ? '' : ` at ${instantWords(ms)}`
}

function tellBox(box: BlackBox): string[] {
  const sentences = []
  if (box.processes !== null && box.processes.length > 0) {
    const told = box.processes.slice(0, 10).map(({ name, state, cpuMs }) => {
      const what = [plain(state), ...(cpuMs === null ? [] : [`${spanWords(cpuMs)} of CPU`])]
      return `${quoted(name)} (${what.join(', ')})`
    })
    const more = box.processes.length > told.length ? ` and ${box.processes.length - told.length} more` : ''
    sentences.push(`Its processes then: ${told.join(', ')}${more}.`)
  }
  if (box.activity !== null) {
    const { cpuMs, ioBytes } = box.activity
    sentences.push(`It had used ${spanWords(cpuMs)} of CPU, and read and written ${sizeWords(ioBytes)}.`)
  }
  if (box.disk !== null) {
    const { bytes, files, isWhole } = box.disk
    sentences.push(`Its workspace held ${isWhole ? '' : 'more than '}${sizeWords(bytes)} in ${files} files.`)
  }
  return sentences
}
