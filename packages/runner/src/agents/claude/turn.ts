import type { AgentContext } from '../../agent-context.ts'
import type { RunnerWorld } from '../../world.ts'
import type { ClaudeHookInput, ClaudeMessage } from './claude-sdk.ts'
import { ProviderTrouble } from './provider-trouble.ts'
import { TurnClocks } from './turn-clocks.ts'

/** Where a session keeps which conversation of the SDK is its own. */
export const SESSION_KEY = 'claude.session'
/** How long the model may take to begin telling what its agents brought, once the last of them has ended. */
const FOLLOW_UP_MS = 10_000

/**
 * `unknown-session`: the conversation that was to go on is not there any more. `gone`: the query had ended before it was
 * asked. Either way nothing has been done.
 */
export type TurnEnd =
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'unknown-session' | 'gone' }

export interface TurnOptions {
  readonly context: AgentContext
  readonly world: RunnerWorld
  /** The conversation the query was told to go on with. */
  readonly resume: string | null
  /** This version of the SDK says which message a result answers. */
  readonly namesAnswers: boolean
}

/** From pushing a message to the result that answers it, agents it started in the background included. */
export class Turn {
  readonly ended: Promise<TurnEnd>
  readonly #options: TurnOptions
  readonly #clocks: TurnClocks
  readonly #trouble: ProviderTrouble
  #uuid = ''
  /** A turn of the SDK has begun since; nothing is done before. */
  #hasBegun = false
  /** An answer came while agents were still at work, and was passed on; another will follow. */
  #isHeld = false
  #hasFollowUp = false
  #cancelFollowUp: (() => void) | null = null
  #resolve: (end: TurnEnd) => void = () => {}

  constructor(options: TurnOptions) {
    this.#options = options
    this.#clocks = new TurnClocks(options.context)
    this.#trouble = new ProviderTrouble(() => options.world.now())
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** `uuid`: what was pushed under, as results name it. */
  begin(uuid: string): void {
    this.#uuid = uuid
  }

  hook(input: ClaudeHookInput): void {
    this.#clocks.hook(input)
  }

  message(message: ClaudeMessage): void {
    const { type, subtype } = message
    this.#clocks.event(message)
    this.#trouble.event(message)
    if (type === 'system' && (subtype === 'init' || subtype === 'status')) {
      this.#hasBegun = true
      this.#cancelFollowUp?.()
    }
    if (type === 'system' && subtype === 'init') this.#rememberSession(message)
    if (type === 'result') this.#result(message)
    else this.#awaitFollowUp()
  }

  fail(error: unknown): void {
    this.#end({ kind: 'failed', error })
  }

  /** The query has ended; `isReused`: it was open before this turn. */
  over(error: Error, isReused: boolean): void {
    if (isReused && !this.#hasBegun) this.#end({ kind: 'gone' })
    else this.fail(error)
  }

  /** At once: a run that is killed in its first turn is to go on with it in the next. */
  #rememberSession({ session_id: id }: ClaudeMessage): void {
    const { state } = this.#options.context
    if (id === undefined || id === state.get(SESSION_KEY)) return
    state.set(SESSION_KEY, id).catch((error: unknown) => this.fail(error))
  }

  #result(message: ClaudeMessage): void {
    const isFailed = message.subtype !== 'success' || message.is_error === true
    // The model speaks up by itself when work in the background ends.
    const isAside = !this.#isHeld && !this.#isOurs(message)
    const text = message.result ?? ''
    if (this.#isOfUnknownSession(message)) this.#end({ kind: 'unknown-session' })
    else if (isAside && isFailed) return
    else if (isFailed) this.fail(this.#trouble.errorOf(message))
    else if (!isAside && !this.#clocks.hasAgents) this.#end({ kind: 'answered', text })
    else {
      this.#say(text)
      if (!isAside) this.#isHeld = true
    }
  }

  #isOurs({ user_message_uuid: one, user_message_uuids: all }: ClaudeMessage): boolean {
    if (one !== undefined || all !== undefined) return one === this.#uuid || (all?.includes(this.#uuid) ?? false)
    // What answers nobody names nobody; but neither does a failure before anything was read, nor an older version.
    return !this.#hasBegun || !this.#options.namesAnswers
  }

  #isOfUnknownSession({ is_error: isError, startup_failure_reason: reason, errors = [] }: ClaudeMessage): boolean {
    const { resume } = this.#options
    if (resume === null || this.#hasBegun || isError !== true || reason !== undefined) return false
    return errors.some((error) => error.includes(resume))
  }

  #say(text: string): void {
    // A mailbox that cannot be written ends the run by itself.
    if (text !== '') this.#options.context.say(text).catch(() => {})
  }

  /** The last agent has ended: the model tells what it brought in a turn of its own, unless it has told already. */
  #awaitFollowUp(): void {
    if (!this.#isHeld || this.#clocks.hasAgents || this.#hasFollowUp) return
    this.#hasFollowUp = true
    this.#cancelFollowUp = this.#options.world.setTimer(FOLLOW_UP_MS, () => this.#end({ kind: 'answered', text: '' }))
  }

  #end(end: TurnEnd): void {
    this.#cancelFollowUp?.()
    this.#clocks.end()
    this.#resolve(end)
  }
}
