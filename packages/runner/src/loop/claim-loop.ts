import type { AgentHandler } from '../agent-context.ts'
import { RunnerError } from '../errors.ts'
import type { InboundLook, InboundMessage, MailboxClient } from '../mailbox-client.ts'
import type { RunEnvironment } from '../run-environment.ts'
import type { OnStep } from '../steps.ts'
import type { RunnerWorld } from '../world.ts'
import { AckLedger } from './ack-ledger.ts'
import { chooseBatch } from './choose-batch.ts'
import { HeldBatch } from './held-batch.ts'
import { SessionValues } from './session-values.ts'
import { startBeat } from './start-beat.ts'
import { StateReporter } from './state-reporter.ts'
import { Wakeup } from './wakeup.ts'
import { workBatch } from './work-batch.ts'

export interface ClaimLoopOptions {
  readonly handler: AgentHandler
  readonly per: 'message' | 'batch'
  readonly environment: RunEnvironment
  readonly mailbox: MailboxClient
  readonly world: RunnerWorld
  /** How long a handler may take to let go once the run has to end. */
  readonly settleMs: number
  /** Takes one line of the runner's own. */
  readonly log: (line: string) => void
  /** Takes one line of the agent's. */
  readonly agentLog: (line: string) => void
  readonly onStep: OnStep
}

/** `stopped`: asked to. `superseded`: the mailbox belongs to another epoch. */
export type LoopEnd = 'stopped' | 'superseded'

/** The runner's life: looks, claims, hands over, acknowledges, one batch at a time, until told to end. */
export class ClaimLoop {
  readonly #options: ClaimLoopOptions
  readonly #wakeup: Wakeup
  readonly #reporter: StateReporter
  #ledger: AckLedger
  #look: InboundLook | null = null
  /** on_wake messages of the first look; later ones are for the run to come. */
  #wakeIds: ReadonlySet<string> = new Set()
  #prunedSeq = 0
  #held: HeldBatch | null = null
  #end: LoopEnd | null = null
  #failure: { readonly error: unknown } | null = null
  #cancelSettle = () => {}

  constructor(options: ClaimLoopOptions) {
    this.#options = options
    this.#wakeup = new Wakeup(options.world)
    this.#ledger = new AckLedger(options.environment.epoch, [])
    this.#reporter = new StateReporter({
      world: options.world,
      write: (state) => this.#inBackground(options.mailbox.writeState(state)),
    })
  }

  /** Runs until stopped or superseded; rejects when the mailbox cannot be written. */
  async run(): Promise<LoopEnd> {
    const { mailbox, environment, onStep } = this.#options
    const stopBeat = await startBeat(this.#options)
    let unfollow = () => {}
    try {
      const opened = await mailbox.open()
      this.#ledger = new AckLedger(environment.epoch, opened.acks)
      const state = new SessionValues(mailbox, opened.sessionState)
      onStep('started')
      unfollow = mailbox.follow((look) => this.#heed(look))
      return await this.#untilEnd(state)
    } catch (error) {
      // Closed under a write that waited for its turn: the claim stays, which is what an interruption leaves.
      if (this.#end !== null && error instanceof RunnerError && error.code === 'MAILBOX_CLOSED') return this.#end
      throw error
    } finally {
      this.#cancelSettle()
      unfollow()
      this.#reporter.stop()
      stopBeat()
      await mailbox.close()
    }
  }

  /** Asks the loop to end: work in hand is told to let go and given a bounded time for it. */
  stop(): void {
    this.#endAs('stopped')
    this.#held?.stop()
  }

  async #untilEnd(state: SessionValues): Promise<LoopEnd> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error
      if (this.#end !== null) return this.#end
      const choice = this.#choose()
      if (choice.action === 'claim') {
        await this.#work(choice.messages, state)
      } else {
        this.#prune()
        await this.#wakeup.wait(choice.untilMs)
      }
    }
  }

  #choose(): ReturnType<typeof chooseBatch> {
    if (this.#look === null) return { action: 'wait', untilMs: null }
    return chooseBatch({
      look: this.#look,
      acks: this.#ledger.acks,
      wakeIds: this.#wakeIds,
      epoch: this.#options.environment.epoch,
      per: this.#options.per,
      nowMs: this.#options.world.now(),
    })
  }

  async #work(messages: readonly InboundMessage[], state: SessionValues): Promise<void> {
    const { mailbox, onStep } = this.#options
    const claims = messages.map(({ id, attempt }) => ({ messageId: id, attempt }))
    // Held before the claim is written: a cancellation seen meanwhile must find it.
    const held = new HeldBatch(messages)
    this.#held = held
    try {
      await mailbox.claim(claims, this.#reporter.beginBatch())
      this.#ledger.noteClaimed(claims)
      onStep('claimed')
      const timeZone = this.#look?.timeZone ?? null
      const working = workBatch({ ...this.#options, held, timeZone, reporter: this.#reporter, state })
      // After the claim and beside the work: nobody waits for housekeeping.
      this.#prune()
      const acks = await working
      this.#ledger.noteEnded(acks)
      if (acks.length > 0) onStep('completed')
    } finally {
      this.#held = null
    }
  }

  #heed(look: InboundLook): void {
    this.#options.onStep('looked')
    if (look.epoch !== null && look.epoch !== this.#options.environment.epoch) {
      this.#endAs('superseded')
      this.#held?.supersede()
      return
    }
    if (this.#look === null) this.#wakeIds = new Set(look.messages.filter((m) => m.isOnWake).map(({ id }) => id))
    this.#look = look
    this.#held?.heed(look.messages)
    if (this.#held !== null) this.#prune()
    this.#wakeup.wake()
  }

  /** Deletes what the host has taken, so that the mailbox stays small whatever passes through it. */
  #prune(): void {
    if (this.#look === null || this.#end === 'superseded') return
    const { takenSeq } = this.#look
    const messageIds = this.#ledger.prunable(this.#look)
    if (takenSeq <= this.#prunedSeq && messageIds.length === 0) return
    this.#prunedSeq = Math.max(this.#prunedSeq, takenSeq)
    this.#ledger.notePruned(messageIds)
    this.#inBackground(this.#options.mailbox.prune({ takenSeq, messageIds }))
  }

  #endAs(end: LoopEnd): void {
    if (this.#end !== null) return
    this.#end = end
    this.#cancelSettle = this.#options.world.setTimer(this.#options.settleMs, () => {
      this.#held?.abandon()
      // Also ends a write that still waits for the file to be free.
      this.#inBackground(this.#options.mailbox.close())
    })
    this.#wakeup.wake()
  }

  /** A write nobody waits for: should it fail for good, the loop ends with its error. */
  #inBackground(write: Promise<void>): void {
    write.catch((error: unknown) => {
      if (this.#end !== null) return
      this.#failure ??= { error }
      this.#held?.stop()
      this.#held?.abandon()
      this.#wakeup.wake()
    })
  }
}
