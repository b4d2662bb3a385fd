import type { RunEnd } from '../model/run.ts'
import { RUN_ENDS } from '../model/run.ts'
import { type HeldBack, tellAccount } from './tell-account.ts'
import { tellCause } from './tell-cause.ts'
import { figureOf, instantWords, plain, quoted, wordOf } from './words.ts'

/** A decision about a session, as a sweep tells of it. */
export interface Step {
  readonly sessionId: string
  /** Of its live run; null: it has none. */
  readonly epoch: number | null
  readonly action: string
  readonly because: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/** What is known beside it and says until when. */
export interface StepProspects {
  readonly nowMs: number
  readonly heldBack: HeldBack | null
  readonly nextDueAtMs: number | null
  readonly spawnNotBeforeMs: number
  readonly spawnFailures: number
  readonly lastSpawnError: string | null
}

/** What the host does next with a session, and why, in a sentence. */
export function tellStep(step: Step, prospects: StepProspects): string {
  return `Next: ${clauseOf(step, prospects)}.`
}

function clauseOf(step: Step, prospects: StepProspects): string {
  const { action, because } = step
  if (action === 'stop') return `${runOf(step)} is asked to end: ${reasonOf(step)}`
  if (because.startsWith(UNKNOWN)) {
    const words = quoted(because.slice(UNKNOWN.length))
    return `${runOf(step)} is left as it is and asked about again soon, for its runtime cannot say how it is: ${words}`
  }
  const words = CLAUSES[`${action} ${because}`]
  return words === undefined ? `the host looks at session ${plain(step.sessionId)} again` : words(step, prospects)
}

const UNKNOWN = 'runtime-unknown: '

type Clause = (step: Step, prospects: StepProspects) => string

/** Every step that a decision about a session may be, but a stop. */
const CLAUSES: Readonly<Record<string, Clause>> = {
  'leave closed': (step) => `nothing, for ${sessionOf(step)} is closed`,
  'leave group-not-configured': (step) =>
    step.epoch === null
      ? `nothing is begun in ${sessionOf(step)}, for its group is not in the configuration`
      : `${runOf(step)} may end what it works on and is given no more, for its group is not in the configuration`,
  'leave account-parked': tellHeldBack,
  'leave account-probing': tellHeldBack,
  'leave account-ramping': tellHeldBack,
  'leave account-open': tellHeldBack,
  'leave nothing-due': (step, prospects) => `nothing is due in ${sessionOf(step)}${tellNextDue(prospects)}`,
  'leave shutting-down': (step) => `nothing is begun in ${sessionOf(step)}, for the host is shutting down`,
  'leave disk-low': tellDiskLow,
  'leave spawn-back-off': tellBackOff,
  'leave stopping': (step) => `${runOf(step)} has been asked to end, and has some time to do so`,
  'leave unkillable': tellQuarantine,
  'leave draining': (step) => `${runOf(step)} may end what it works on, for the host is shutting down`,
  'leave working': (step) => `${runOf(step)} is at work, and left to it`,
  'leave handed-over': (step) => `${runOf(step)} has been handed what is due, and has yet to take it`,
  'leave idle': (step, prospects) =>
    `${runOf(step)} has nothing to do and is kept for a while${tellNextDue(prospects)}`,
  'start due': (step) => `a run is started for what is due in ${sessionOf(step)}`,
  'want-slot due': (step) => `${sessionOf(step)} has something due, and gets a run as soon as there is a place for one`,
  'adopt-start running': (step) => `${runOf(step)} is found to have come up, and is recorded as running`,
  'abort-start no-handle': (step) => `the start of ${runOf(step)} was broken off, and what is left of it is removed`,
  'abort-start never-let-go': (step) => `${runOf(step)} was made and never let go: it is removed`,
  'project due': (step) => `${runOf(step)} is handed what is due`,
  'project draining': (step) => `${runOf(step)} is told what has changed in its work, for the host is shutting down`,
  'project group-not-configured': (step) =>
    `${runOf(step)} is told what has changed in its work and given no more, for its group is not in the configuration`,
  'ask-again not-asked-by-this-host': (step) =>
    `${runOf(step)} is asked to end once more, for this host has not asked it since it started`,
  'kill grace-over': (step) => `${runOf(step)} is killed, for it has not ended in the time it was given`,
  'kill not-killed-by-this-host': (step) =>
    `${runOf(step)} is killed once more, for this host has not done so since it started`,
  'quarantine would-not-die': tellQuarantine,
  'settle exited': (step) => `${runOf(step)} has ended, and what it held is settled`,
  'settle gone': (step) => `${runOf(step)} is gone, and what it held is settled`,
}

function sessionOf({ sessionId }: Step): string {
  return `session ${plain(sessionId)}`
}

function runOf({ epoch, sessionId }: Step): string {
  return `${epoch === null ? 'the run' : `run ${epoch}`} of ${plain(sessionId)}`
}

function tellHeldBack(step: Step, { heldBack, nowMs }: StepProspects): string {
  const why = heldBack === null ? 'its account holds it back' : tellAccount(heldBack, nowMs)
  return `what is due in ${sessionOf(step)} is held back: ${why}`
}

function tellNextDue({ nextDueAtMs }: StepProspects): string {
  return nextDueAtMs === null ? '' : `; its next message is due at ${instantWords(nextDueAtMs)}`
}

function tellDiskLow(step: Step): string {
  const [free, wanted] = [figureOf(step.evidence, 'freeBytes'), figureOf(step.evidence, 'wantedBytes')]
  const figures = free === null || wanted === null ? '' : `: ${free} bytes are free, ${wanted} are wanted`
  return `what is due in ${sessionOf(step)} waits until the disk of the data directory has room again${figures}`
}

function tellBackOff(step: Step, { spawnNotBeforeMs, spawnFailures, lastSpawnError }: StepProspects): string {
  const often = spawnFailures === 1 ? 'its last start failed' : `its last ${spawnFailures} starts failed`
  const error = lastSpawnError === null ? '' : `: ${quoted(lastSpawnError)}`
  return `${sessionOf(step)} gets no run before ${instantWords(spawnNotBeforeMs)}, for ${often}${error}`
}

function tellQuarantine(step: Step): string {
  return `${runOf(step)} survived SIGKILL, and its session gets no new run until it is gone`
}

/** Why a run is about to be asked to end. */
function reasonOf({ because, evidence }: Step): string {
  const end = RUN_ENDS.find((known) => known === because)
  if (end === undefined) return 'it is no longer needed'
  const words = REASONS[end]
  return words === undefined ? tellCause({ end, endEvidence: evidence, exit: null }) : words(evidence)
}

const REASONS: Partial<Record<RunEnd, (evidence: Step['evidence']) => string>> = {
  idle: tellIdle,
  cancel: () => 'its message was cancelled, and it has not heeded that in the time it was given',
  'operator-stop': () => 'a person wants it to',
  'session-closed': () => 'its session was closed',
  'host-shutdown': () => 'the host is shutting down',
}

function tellIdle(evidence: Step['evidence']): string {
  if (wordOf(evidence, 'because') === 'group-not-configured') return 'its group is not in the configuration'
  if (wordOf(evidence, 'because') === 'account-parked') {
    const account = wordOf(evidence, 'account') ?? '?'
    const untilMs = figureOf(evidence, 'parkedUntilMs')
    const until = untilMs === null || evidence.state !== 'parked' ? '' : `, parked until ${instantWords(untilMs)}`
    return `what is due to it is held back by account ${account}${until}`
  }
  return evidence.isEvicted === true ? 'it has nothing to do, and others wait for its place' : 'it has nothing to do'
}
