import { readSessionZone, tellTime } from '@sessiond/protocol'
import type { AgentContext, ModelWait, ToolLease, ToolOptions } from '../src/agent-context.ts'
import type { AgentMessage } from '../src/agent-message.ts'

/** One thing a handler told its context. */
export type ContextMove =
  | { readonly do: 'say' | 'reply'; readonly text: string }
  | { readonly do: 'progress'; readonly text?: string }
  | { readonly do: 'tool'; readonly id: number; readonly name: string; readonly options: ToolOptions }
  | { readonly do: 'tool-renew' | 'tool-end'; readonly id: number }
  | { readonly do: 'wait' | 'streaming' | 'ping' | 'wait-end'; readonly id: number }
  | { readonly do: 'held-off'; readonly id: number; readonly because: string; readonly forMs?: number }

/** The moves of one kind; several kinds may share a shape. */
type MoveOf<Kind> = ContextMove extends infer Move
  ? Move extends { do: infer Own }
    ? Kind extends Own
      ? Move
      : never
    : never
  : never

export interface FakeContextOptions {
  readonly workDir: string
  readonly text: string
  /** The session's lasting values; shared by the runs of a session. */
  readonly state?: Map<string, string>
}

/** A context that writes down what it is told, and lets a test wait for it. */
export class FakeContext implements AgentContext {
  readonly session = 'group/session'
  readonly group = 'group'
  readonly epoch = 1
  readonly workDir: string
  readonly timeZone = 'UTC'
  readonly message: AgentMessage
  readonly moves: ContextMove[] = []
  readonly values: Map<string, string>
  readonly #abort = new AbortController()
  readonly #watchers = new Set<() => void>()
  #lastId = 0

  constructor({ workDir, text, state = new Map() }: FakeContextOptions) {
    this.workDir = workDir
    this.message = messageOf(text)
    this.values = state
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  readonly state = {
    get: (key: string) => this.values.get(key),
    set: async (key: string, value: string) => {
      this.values.set(key, value)
    },
  }

  tellTime(): string {
    return tellTime(readSessionZone(this.timeZone), Date.UTC(2030, 0, 1))
  }

  async reply(text: string): Promise<void> {
    this.#note({ do: 'reply', text })
  }

  async say(text: string): Promise<void> {
    this.#note({ do: 'say', text })
  }

  progress(text?: string): void {
    this.#note({ do: 'progress', ...(text === undefined ? {} : { text }) })
  }

  tool(name: string, options: ToolOptions = {}): ToolLease {
    const id = this.#newId()
    this.#note({ do: 'tool', id, name, options })
    return { renew: () => this.#note({ do: 'tool-renew', id }), end: () => this.#note({ do: 'tool-end', id }) }
  }

  modelWait(): ModelWait {
    const id = this.#newId()
    this.#note({ do: 'wait', id })
    return {
      streaming: () => this.#note({ do: 'streaming', id }),
      ping: () => this.#note({ do: 'ping', id }),
      heldOff: (because, forMs) =>
        this.#note({ do: 'held-off', id, because, ...(forMs === undefined ? {} : { forMs }) }),
      end: () => this.#note({ do: 'wait-end', id }),
    }
  }

  abort(reason = new Error('the run has to stop')): void {
    this.#abort.abort(reason)
  }

  /** What was told, by what it was. */
  of<Kind extends ContextMove['do']>(kind: Kind): MoveOf<Kind>[] {
    return this.moves.filter((move): move is MoveOf<Kind> => move.do === kind)
  }

  /** What was told, in short and in order; progress, which comes by the dozen, left out. */
  outline(): string[] {
    return this.moves
      .filter(({ do: kind }) => kind !== 'progress')
      .map((move) => ('name' in move ? move.name : move.do))
  }

  /** Tools that were opened and not closed. */
  openTools(): string[] {
    const ended = new Set(this.of('tool-end').map(({ id }) => id))
    return this.of('tool')
      .filter(({ id }) => !ended.has(id))
      .map(({ name }) => name)
  }

  /** Resolves when something of this kind has been told. */
  async until(kind: ContextMove['do'], times = 1): Promise<void> {
    while (this.of(kind).length < times) {
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher)
          resolve()
        }
        this.#watchers.add(watcher)
      })
    }
  }

  #note(move: ContextMove): void {
    this.moves.push(move)
    for (const watcher of [...this.#watchers]) watcher()
  }

  #newId(): number {
    this.#lastId += 1
    return this.#lastId
  }
}

/** A message that asks for `text`. */
export function messageOf(text: string): AgentMessage {
  return {
    id: 'm1',
    seq: 2,
    kind: 'chat',
    text,
    content: { text },
    isContext: false,
    brief: null,
    attempt: 1,
    tries: 0,
    createdAtMs: null,
    replyTo: null,
    seriesId: null,
    sourceSessionId: null,
    address: { platformId: null, channelType: null, threadId: null },
  }
}
