import { WAIT_REASONS, type WaitReason } from '@sessiond/protocol'
import { describeRunEnd } from '../decide/decide-retry.ts'
import type { Run, RunEnd } from '../model/run.ts'
import { figureOf, plain, quoteOf, spanWords, wordOf } from './words.ts'

type Evidence = Readonly<Record<string, unknown>>

/** Why a run had to end, in words and figures, and under which line of the policy. */
export function tellCause({ end, endEvidence, exit }: Pick<Run, 'end' | 'endEvidence' | 'exit'>): string {
  if (end === null) return 'nothing has asked it to end'
  const evidence = endEvidence ?? {}
  const words = WORDS[end]
  return words === undefined ? plain(describeRunEnd(end, exit)) : `${words(evidence)}${allowance(evidence)}`
}

function silence(evidence: Evidence): string {
  return spanWords(figureOf(evidence, 'silentForMs') ?? 0)
}

/** ` (stuck.frozen allows 45s)` */
function allowance(evidence: Evidence): string {
  const limitMs = figureOf(evidence, 'limitMs') ?? figureOf(evidence, 'toleranceMs')
  if (limitMs === null) return ''
  const line = wordOf(evidence, 'line') ?? `the ${wordOf(evidence, 'policy') ?? 'classic'} policy`
  return ` (${line} allows ${spanWords(limitMs)})`
}

const WORDS: Partial<Record<RunEnd, (evidence: Evidence) => string>> = {
  'never-started': (evidence) => `it gave no sign of life for ${silence(evidence)} after it was let go`,
  frozen: (evidence) => `its loop did not turn: no beat for ${silence(evidence)}`,
  'tool-overdue': tellTool,
  silent: tellSilence,
  deaf: (evidence) => `it beat, but took none of its due messages for ${silence(evidence)}`,
  'claim-silent': (evidence) => `it gave no heartbeat for ${silence(evidence)} after it took ${holding(evidence)}`,
  ceiling: (evidence) => `it gave no heartbeat at all for ${silence(evidence)}`,
}

function tellTool(evidence: Evidence): string {
  const tool = `tool ${quoteOf(evidence, 'tool') ?? '?'}`
  if (wordOf(evidence, 'line') === 'stuck.toolGrace') {
    return `${tool} had outlived the time it declared by ${silence(evidence)}, and nothing moved meanwhile`
  }
  return `${tool} had declared no time, and ${stillness(evidence)}`
}

function tellSilence(evidence: Evidence): string {
  const wait = WAIT_REASONS.find((reason) => reason === evidence.wait)
  switch (wordOf(evidence, 'line')) {
    case 'stuck.modelSilent':
      return `${waiting(wait)} nothing was heard of it for ${silence(evidence)}${notCounted(wait)}`
    case 'stuck.modelPinging':
      return `${waiting(wait)} nothing but keep-alives came for ${silence(evidence)}${notCounted(wait)}`
    default:
      return `it held ${holding(evidence)}, had nothing open that it waited for, and ${stillness(evidence)}`
  }
}

/** What was seen of a run in which nothing moved: as much as anybody could see, and no more. */
function stillness(evidence: Evidence): string {
  const silentFor = silence(evidence)
  switch (wordOf(evidence, 'line')) {
    case 'stuck.busyCeiling':
      return `reported nothing for ${silentFor}, however much it computed`
    case 'stuck.toolBlind':
      return `reported nothing for ${silentFor}, and nobody can see what it does`
    default:
      return `for ${silentFor} neither reported, computed nor transferred anything`
  }
}

function waiting(wait: WaitReason | undefined): string {
  return wait === undefined ? 'it waited, and' : WAITING[wait]
}

const WAITING: Readonly<Record<WaitReason, string>> = {
  agent: 'its handler said nothing of what it does, and',
  request: 'it had asked its model, and',
  stream: 'its model had begun to answer, and then',
  retry: 'it waited to ask its model again, and',
  'rate-limit': 'it waited for the end of a rate limit, and',
  outage: 'it waited for the end of an outage of its provider, and',
}

/** Held off, its silence begins when the time it was given is over. */
function notCounted(wait: WaitReason | undefined): string {
  const isHeldOff = wait === 'retry' || wait === 'rate-limit' || wait === 'outage'
  return isHeldOff ? ', the time it was held off not counted' : ''
}

function holding(evidence: Evidence): string {
  const messageId = wordOf(evidence, 'messageId')
  return messageId === null ? 'its message' : `message ${messageId}`
}
