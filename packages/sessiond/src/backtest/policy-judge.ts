import type { RecordingLine } from '@sessiond/protocol'
import type { StuckPolicy } from '../config/config.ts'
import { type ClaimClock, decideClassic } from '../decide/decide-classic.ts'
import { decideLiveness } from '../decide/decide-liveness.ts'
import { RunClocks } from '../observe/run-clocks.ts'
import type { Judge, Judgement } from './judge.ts'
import { RecordedMoves } from './recorded-moves.ts'

/** The host's own judgement under a policy. */
export function policyJudge(policy: StuckPolicy): Judge {
  return policy.policy === 'classic' ? new ClassicJudge(policy) : new DefaultJudge(policy)
}

class DefaultJudge implements Judge {
  readonly #policy: StuckPolicy
  readonly #moves = new RecordedMoves()
  readonly #clocks = new RunClocks(0)
  #hasExited = false

  constructor(policy: StuckPolicy) {
    this.#policy = policy
  }

  note(line: RecordingLine): void {
    if (line.kind === 'exit') this.#hasExited = true
    for (const move of this.#moves.of(line)) this.#clocks.note(move, line.t)
  }

  slept(atMs: number, forMs: number): void {
    this.#clocks.skip(forMs, atMs + forMs)
    this.#clocks.restart(atMs + forMs)
  }

  judge(atMs: number): Judgement {
    const seen = this.#hasExited ? 'exited' : 'running'
    const observation = this.#clocks.observe(atMs, { seen, tries: 0, unheededForMs: null, idleForMs: null })
    const decision = decideLiveness(observation, this.#policy)
    if (decision.verdict === 'stop') {
      const { verdict, reason, ...evidence } = decision
      return { verdict, reason, evidence }
    }
    if (decision.reason === 'exited') return { verdict: 'exited' }
    return { verdict: 'leave', recheckInMs: decision.recheckInMs }
  }
}

/** The seed knew one clock: a heartbeat touched on every event of the agent. A recording's beats are none of its. */
class ClassicJudge implements Judge {
  readonly #policy: StuckPolicy
  readonly #claims = new Map<string, { readonly atMs: number; hasBeatenSince: boolean }>()
  readonly #tools: { readonly name: string; readonly timeoutMs: number | null }[] = []
  #watchedSinceMs = 0
  #heartbeatAtMs: number | null = null
  #hasExited = false

  constructor(policy: StuckPolicy) {
    this.#policy = policy
  }

  note(line: RecordingLine): void {
    if (line.kind === 'exit') this.#hasExited = true
    else if (line.kind === 'claim') this.#claims.set(line.message, { atMs: line.t, hasBeatenSince: false })
    else if (line.kind === 'done') this.#claims.delete(line.message)
    else if (isAgentEvent(line)) this.#beats(line)
  }

  slept(atMs: number, forMs: number): void {
    this.#watchedSinceMs = atMs + forMs
  }

  judge(atMs: number): Judgement {
    if (this.#hasExited) return { verdict: 'exited' }
    const claims = [...this.#claims].map(
      ([messageId, claim]): ClaimClock => ({
        messageId,
        ageMs: atMs - claim.atMs,
        hasBeatenSince: claim.hasBeatenSince,
      }),
    )
    const clocks = {
      watchedForMs: atMs - this.#watchedSinceMs,
      heartbeatAgeMs: this.#heartbeatAtMs === null ? null : atMs - this.#heartbeatAtMs,
      claims,
      declaredToolMs: this.#tools.at(-1)?.timeoutMs ?? null,
      unheededForMs: null,
    }
    const decision = decideClassic(clocks, this.#policy)
    if (decision.action === 'leave') return { verdict: 'leave', recheckInMs: decision.recheckInMs }
    const { because, silentForMs, toleranceMs, messageId } = decision
    return { verdict: 'stop', reason: because, evidence: { silentForMs, toleranceMs, messageId } }
  }

  #beats(line: RecordingLine): void {
    this.#heartbeatAtMs = line.t
    for (const claim of this.#claims.values()) claim.hasBeatenSince = true
    if (line.kind === 'tool-start') this.#tools.push({ name: line.tool, timeoutMs: line.timeoutMs })
    if (line.kind !== 'tool-end') return
    const at = this.#tools.findIndex(({ name }) => name === line.tool)
    if (at !== -1) this.#tools.splice(at, 1)
  }
}

/** What the agent's own process let its supervisor see, apart from the runner's timer. */
export function isAgentEvent({ kind }: RecordingLine): boolean {
  return AGENT_EVENTS.has(kind)
}

const AGENT_EVENTS: ReadonlySet<RecordingLine['kind']> = new Set<RecordingLine['kind']>([
  'sdk-event',
  'sdk-hook',
  'progress',
  'ping',
  'tool-start',
  'tool-renew',
  'tool-end',
  'stderr',
  'model-wait',
  'model-wait-end',
])
