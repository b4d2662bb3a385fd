import { STEPS, type Step } from '@sessiond/runner/internal'
import { BOUNDARIES, type BoundaryName } from './boundaries.ts'
import type { AgentPlan, CrashPlan, HostDeath, Life, PlannedAction, PlannedMessage } from './crash-plan.ts'
import { SeededRandom } from './seeded-random.ts'

/** Who dies: the host alone, runs alone, or both. */
type Victims = 'host' | 'run' | 'both'

const VICTIMS: readonly Victims[] = ['host', 'both', 'run', 'both']

/** Steps at which a message is claimed: dying there for ever wears its tries out. */
const HOLDS: readonly Step[] = ['claimed', 'handed-over', 'completing']

/** How many messages a case has at most, over all of its sessions. */
export interface CaseSize {
  readonly maxSessions: number
  readonly maxMessages: number
}

/**
 * Makes a case of its seed. Consecutive seeds walk through all boundaries and all steps, so that a few hundred of
 * them meet each many times and in many pairs; everything else is drawn.
 */
export function planCase(seed: number, size: CaseSize): CrashPlan {
  const random = new SeededRandom(seed)
  const victims = VICTIMS[seed % VICTIMS.length] ?? 'both'
  const turn = Math.floor(seed / VICTIMS.length)
  const focus = victims === 'run' ? null : at(BOUNDARIES, turn + (seed % VICTIMS.length) * 8)
  const step = victims === 'host' ? null : at(STEPS, turn + seed)
  const agent = planAgent(random, step, focus)
  const messages = planMessages(random, seed, size)
  return {
    seed,
    agent,
    hasSink: focus === 'delivery:confirmed' || random.chance(0.15),
    maxTries: agent.death !== null && agent.death.times > 9 ? 2 : 5,
    stopGraceMs: isKill(focus) ? 0 : random.pick([0, 300, 300]),
    idleStopMs: isKill(focus) ? 0 : random.pick([0, 30, 60_000, 60_000]),
    sendsAgain: random.chance(0.7),
    lives: planLives(random, focus, messages),
  }
}

function planAgent(random: SeededRandom, step: Step | null, focus: BoundaryName | null): AgentPlan {
  // By returning a text one reply is given, to the last message of a batch: then the others would have none.
  const per = random.chance(0.25) ? 'batch' : 'message'
  const mode = per === 'batch' || step === 'replied' || random.chance(0.5) ? 'reply' : 'return'
  const isHopeless = step !== null && HOLDS.includes(step) && random.chance(0.15)
  const nth = isHopeless ? 1 : random.between(1, 2)
  const times = isHopeless ? 1_000 : random.between(1, 2)
  return {
    mode,
    per,
    // A person needs something to interrupt.
    workMs: isOperation(focus) ? 120 : random.pick([0, 0, 20]),
    asks: focus === 'request:done' || random.chance(0.15),
    ignoresSigterm: isKill(focus) || random.chance(0.1),
    death: step === null ? null : { step, nth, times },
  }
}

function planMessages(random: SeededRandom, seed: number, size: CaseSize): PlannedMessage[] {
  const sessions = random.pick([1, 1, random.between(1, size.maxSessions), size.maxSessions])
  const count = Math.max(sessions, random.between(2, size.maxMessages))
  return Array.from({ length: count }, (_, index) => ({
    id: `m-${seed}-${index}`,
    session: `s${index % sessions}`,
    text: `text ${index} of ${seed}`,
  }))
}

function planLives(random: SeededRandom, focus: BoundaryName | null, messages: readonly PlannedMessage[]): Life[] {
  const deaths: (HostDeath | null)[] = focus === null ? [] : [{ at: focus, nth: nthOf(random, focus) }]
  if (focus !== null) {
    // Killed again, also while it recovers.
    while (deaths.length < 4 && random.chance(0.45)) deaths.push({ at: 'any', nth: random.between(1, 14) })
  }
  if (random.chance(0.2)) deaths.splice(random.between(0, deaths.length), 0, null)
  deaths.push(null)
  const first = deaths.findIndex((death) => death?.at === focus)
  return deaths.map((death, index): Life => {
    const isFocus = index === first && focus !== null
    return {
      death,
      isStartBroken: isFocus && focus === 'start:failed',
      messages: messages.filter((_, nth) => lifeOf(nth, Math.max(first, 0), deaths.length) === index),
      actions: isFocus ? planActions(focus, messages) : [],
      // A stop brings a life that has met too little to the boundaries at the end of runs.
      end: index === deaths.length - 1 || isFocus || focus === null || random.chance(0.5) ? 'stop' : 'kill',
    }
  })
}

/** The first two come in the life that dies at the boundary in question, the others one by one after it. */
function lifeOf(nth: number, focusLife: number, lives: number): number {
  return Math.min(focusLife + Math.max(0, nth - 1), lives - 1)
}

function planActions(focus: BoundaryName, messages: readonly PlannedMessage[]): PlannedAction[] {
  const session = messages[0]?.session ?? 's0'
  if (focus === 'stop-session:cancelled') return [{ kind: 'stop', session, after: 'message:claimed' }]
  if (focus === 'close-session:closed') return [{ kind: 'close', session, after: 'message:claimed' }]
  if (focus === 'cancel:requested') return [{ kind: 'cancel', session, after: 'message:claimed' }]
  return []
}

function isOperation(focus: BoundaryName | null): boolean {
  return focus !== null && planActions(focus, []).length > 0
}

function isKill(focus: BoundaryName | null): boolean {
  return focus === 'kill:recorded' || focus === 'kill:signalled'
}

/** Only these are sure to be passed twice in a small case. */
function nthOf(random: SeededRandom, focus: BoundaryName): number {
  return focus.startsWith('take:') || focus === 'send:committed' ? random.between(1, 2) : 1
}

function at<T>(all: readonly T[], index: number): T | null {
  return all[index % all.length] ?? null
}
