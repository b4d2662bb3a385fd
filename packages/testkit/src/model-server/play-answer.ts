import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnswerHead,
  blockFrames,
  type ContentBlock,
  endFrames,
  errorBody,
  frame,
  message,
  startFrame,
} from './answer-frames.ts'
import type { ModelAnswer, ModelStep } from './model-script.ts'

export interface PlayOptions {
  readonly answer: ModelAnswer
  readonly model: string
  readonly isStreamed: boolean
  /** Aborted when the asker has gone or the server closes: nothing more is waited for. */
  readonly signal: AbortSignal
}

/** Plays an answer step by step until its end, or until nobody listens any more. */
export async function playAnswer(response: ServerResponse, options: PlayOptions): Promise<void> {
  const player = new Player(response, options)
  for (const step of options.answer) {
    if (!(await player.play(step))) return
  }
  player.end()
}

class Player {
  readonly #response: ServerResponse
  readonly #options: PlayOptions
  readonly #head: AnswerHead
  readonly #blocks: ContentBlock[] = []
  #hasBegun = false

  constructor(response: ServerResponse, options: PlayOptions) {
    this.#response = response
    this.#options = options
    this.#head = { id: `msg_${randomUUID()}`, model: options.model }
  }

  /** False: the answer has come to its end with this step. */
  async play(step: ModelStep): Promise<boolean> {
    switch (step.do) {
      case 'begin':
        this.#begin()
        return true
      case 'text':
        this.#say({ type: 'text', text: step.text })
        return true
      case 'thinking':
        this.#say({ type: 'thinking', thinking: step.text, signature: 'scripted' })
        return true
      case 'tools':
        for (const call of step.calls) this.#say({ type: 'tool_use', id: `toolu_${randomUUID()}`, ...call })
        return true
      case 'pings':
        return this.#ping(step.times, step.everyMs)
      case 'wait':
        return this.#unlessGone(pause(step.forMs, undefined, { signal: this.#options.signal }))
      case 'hold':
        return this.#unlessGone(Promise.race([step.until, gone(this.#options.signal)]))
      case 'stall':
        return this.#unlessGone(gone(this.#options.signal))
      case 'reset':
        // A hard reset would take back what was said before it.
        if (this.#hasBegun) this.#response.socket?.destroySoon()
        else this.#response.socket?.resetAndDestroy()
        return false
      case 'fail':
        this.#fail(step)
        return false
    }
  }

  end(): void {
    if (this.#options.isStreamed) {
      this.#begin()
      this.#response.end(endFrames(this.#blocks))
    } else {
      sendJson(this.#response, 200, message(this.#head, this.#blocks))
    }
  }

  #begin(): void {
    if (this.#hasBegun || !this.#options.isStreamed) return
    this.#hasBegun = true
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    this.#response.write(startFrame(this.#head))
  }

  #say(block: ContentBlock): void {
    this.#begin()
    this.#blocks.push(block)
    if (this.#options.isStreamed) this.#response.write(blockFrames(this.#blocks.length - 1, block))
  }

  async #ping(times: number, everyMs: number): Promise<boolean> {
    this.#begin()
    for (let sent = 0; sent < times; sent += 1) {
      if (!(await this.#unlessGone(pause(everyMs, undefined, { signal: this.#options.signal })))) return false
      if (this.#options.isStreamed) this.#response.write(frame('ping'))
    }
    return true
  }

  #fail({ status, message: text, headers = {} }: Extract<ModelStep, { do: 'fail' }>): void {
    const body = errorBody(status, text)
    if (this.#hasBegun) this.#response.end(frame('error', body))
    else sendJson(this.#response, status, body, headers)
  }

  /** True when what was waited for has come, false when nobody is left to hear of it. */
  async #unlessGone(waiting: Promise<unknown>): Promise<boolean> {
    try {
      await waiting
    } catch (error) {
      if (!this.#options.signal.aborted) throw error
    }
    return !this.#options.signal.aborted
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

async function gone(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
