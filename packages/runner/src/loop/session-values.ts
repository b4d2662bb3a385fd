import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import type { SessionState } from '../agent-context.ts'
import type { MailboxClient } from '../mailbox-client.ts'

/** The session's lasting values: read from memory, written through to the mailbox. Refuses what the host would. */
export class SessionValues implements SessionState {
  readonly #mailbox: MailboxClient
  readonly #values: Map<string, string>

  constructor(mailbox: MailboxClient, values: ReadonlyMap<string, string>) {
    this.#mailbox = mailbox
    this.#values = new Map(values)
  }

  get(key: string): string | undefined {
    return this.#values.get(key)
  }

  async set(key: string, value: string): Promise<void> {
    const { idChars, stateRows, stateValueBytes } = PROTOCOL_LIMITS
    if (key === '' || key.length > idChars) throw new RangeError(`a state key has 1 to ${idChars} characters`)
    if (Buffer.byteLength(value) > stateValueBytes) {
      throw new RangeError(`the state "${key}" is larger than ${stateValueBytes} bytes`)
    }
    if (!this.#values.has(key) && this.#values.size >= stateRows) {
      throw new RangeError(`a session keeps at most ${stateRows} state keys`)
    }
    this.#values.set(key, value)
    await this.#mailbox.setSessionState(key, value)
  }
}
