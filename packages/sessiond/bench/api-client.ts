import { Agent, request } from 'node:http'
import { machineMs } from './clock.ts'

/** What a send asks for; the id is the client's, so that it can wait for the message's events beforehand. */
export interface SendBody {
  readonly id: string
  readonly text: string
}

/** Talks to a host as a client does: over HTTP, on connections kept open. */
export class ApiClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Resolves, once the message is acknowledged, with the instant at which the call was made. */
  async send(sessionId: string, body: SendBody): Promise<number> {
    const calledMs = machineMs()
    await this.#ask('POST', `/v1/sessions/${sessionId}/messages`, body)
    return calledMs
  }

  closeSession(sessionId: string): Promise<unknown> {
    return this.#ask('POST', `/v1/sessions/${sessionId}/close`)
  }

  async showMessage(id: string): Promise<{ status: string; answered: boolean; replies: number }> {
    const shown = (await this.#ask('GET', `/v1/messages/${id}`)) as {
      message: { status: string; answered: boolean }
      replies: unknown[]
    }
    return { status: shown.message.status, answered: shown.message.answered, replies: shown.replies.length }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await this.#exchange(method, path, body === undefined ? undefined : JSON.stringify(body))
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return JSON.parse(text)
  }

  #exchange(method: string, path: string, body: string | undefined): Promise<{ status: number; text: string }> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    }
    return new Promise((resolve, reject) => {
      const call = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', reject)
      })
      call.on('error', reject)
      call.end(body)
    })
  }
}
