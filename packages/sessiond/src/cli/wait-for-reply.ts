import { setTimeout as sleep } from 'node:timers/promises'
import type { HostEvent } from '../api.ts'
import { escapeLine, escapeText, toSafeJson } from '../model/escape.ts'
import type { Message, SendReceipt } from '../model/message.ts'
import { textOfContent } from '../model/text-of-content.ts'
import type { CliContext, CommonOptions } from './cli-context.ts'
import type { HostClient } from './client.ts'
import { EXIT } from './exit-codes.ts'
import { connect, type FoundHost } from './find-host.ts'
import { followEvents, isOutage, waitAfter } from './follow-events.ts'
import { describeStatus } from './format/message.ts'

export interface WaitOptions extends CommonOptions {
  /** Milliseconds; true: without limit. */
  readonly wait?: true | number
}

/**
 * Prints the replies to a message as they come and ends with it: exit code 0 when it completed, 1 when it
 * failed, 6 when the time-out passed first (the message stays safe). A restart of the host is waited out.
 */
export async function waitForReply(
  found: FoundHost,
  receipt: SendReceipt,
  options: WaitOptions,
  context: CliContext,
): Promise<void> {
  const timeout = typeof options.wait === 'number' ? AbortSignal.timeout(options.wait) : new AbortController().signal
  const interrupted = context.handleInterrupt()
  const watch = new ReplyWatch(found, receipt.messageId, options, context)
  const events = followEvents({
    connect: () => connect(found),
    sessionId: receipt.sessionId,
    signal: AbortSignal.any([interrupted, timeout, watch.over]),
    isPatient: true,
    // What happened before the stream was open shows up here.
    onOpen: () => watch.look(),
    onLost: () => context.err('The host is gone; the message is safe. Waiting for it to come back.\n'),
  })
  for await (const event of events) watch.see(event)
  const ended = await watch.result()
  if (ended !== undefined) {
    context.setExitCode(ended.status === 'completed' ? EXIT.ok : EXIT.failed)
  } else if (interrupted.aborted) {
    context.setExitCode(EXIT.interrupted)
  } else {
    context.err(`Not finished in time. The message is safe: sessiond show ${receipt.sessionId}\n`)
    context.setExitCode(EXIT.waitedTooLong)
  }
}

/** Looks at one message again whenever something happened to it, and prints what is new. */
class ReplyWatch {
  readonly #found: FoundHost
  readonly #messageId: string
  readonly #options: WaitOptions
  readonly #context: CliContext
  readonly #over = new AbortController()
  /** One look after the other, so that replies are printed once and in order. */
  #looking: Promise<void> = Promise.resolve()
  #isLookWanted = false
  #lastReplyId: string | undefined
  #failures = 0
  #ended: Message | undefined
  #error: unknown

  constructor(found: FoundHost, messageId: string, options: WaitOptions, context: CliContext) {
    this.#found = found
    this.#messageId = messageId
    this.#options = options
    this.#context = context
  }

  /** Aborts once there is nothing more to wait for. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  see(event: HostEvent): void {
    if (event.messageId !== this.#messageId && event.reply?.inReplyTo !== this.#messageId) return
    if (event.type === 'message:retried') {
      this.#context.err(`Tried again later: ${escapeLine(JSON.stringify(event.detail), 300)}\n`)
    }
    this.look()
  }

  /** However many ask while a look is under way, one more follows it. */
  look(): void {
    if (this.#isLookWanted) return
    this.#isLookWanted = true
    this.#looking = this.#looking.then(() => this.#lookOnce()).catch((error: unknown) => this.#fail(error))
  }

  /** The message as it ended; undefined when it has not. Nothing is looked at any more. */
  async result(): Promise<Message | undefined> {
    await this.#looking
    this.#over.abort()
    if (this.#error !== undefined) throw this.#error
    return this.#ended
  }

  async #lookOnce(): Promise<void> {
    this.#isLookWanted = false
    if (this.over.aborted) return
    const client = await connect(this.#found)
    // Before the replies: an ended message has all of them.
    const message = await client.showMessage(this.#messageId)
    await this.#printReplies(client)
    this.#failures = 0
    if (message.endedAtMs === null) return
    this.#ended = message
    this.#over.abort()
    if (this.#options.json === true) {
      this.#print({ message }, '')
    } else if (message.status !== 'completed' || !message.answered) {
      this.#context.err(
        `${message.id}: ${describeStatus(message)} ${escapeLine(message.error ?? '', 500)}`.trim().concat('\n'),
      )
    }
  }

  async #printReplies(client: HostClient): Promise<void> {
    for (;;) {
      const replies = await client.listReplies(this.#messageId, this.#lastReplyId)
      if (replies.length === 0) return
      for (const reply of replies) {
        this.#lastReplyId = reply.id
        this.#print({ reply }, `${escapeText(textOfContent(reply.content)).replace(/\n$/, '')}\n`)
      }
    }
  }

  #print(value: unknown, words: string): void {
    this.#context.out(this.#options.json === true ? `${toSafeJson(value)}\n` : words)
  }

  #fail(error: unknown): void {
    if (isOutage(error)) {
      const look = () => this.look()
      sleep(waitAfter(this.#failures), undefined, { signal: this.over }).then(look, () => {})
      this.#failures += 1
      return
    }
    this.#error ??= error
    this.#over.abort()
  }
}
