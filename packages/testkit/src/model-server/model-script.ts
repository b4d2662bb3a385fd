/** What the server was asked. */
export interface ModelRequest {
  /** Counts the questions to the model, from 0; the others are numbered with them. */
  readonly index: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The body parsed as JSON; null when there was none. */
  readonly body: ModelRequestBody | null
  /** It asks with the agent's tools at hand; what an agent asks besides (a title, a probe) does without. */
  readonly isTurn: boolean
}

/** The part of a question that tests look at. */
export interface ModelRequestBody {
  readonly model?: string
  readonly stream?: boolean
  readonly tools?: readonly { readonly name: string }[]
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[]
}

export interface ToolCall {
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * One thing the model does. Headers go out with the first step that says something, so a wait before it delays them.
 */
export type ModelStep =
  /** Opens the stream and says nothing yet. */
  | { readonly do: 'begin' }
  | { readonly do: 'text'; readonly text: string }
  | { readonly do: 'thinking'; readonly text: string }
  /** Asks for tools, several beside each other when there are several; the last thing an answer says. */
  | { readonly do: 'tools'; readonly calls: readonly ToolCall[] }
  /** Keep-alives, each after its pause. */
  | { readonly do: 'pings'; readonly times: number; readonly everyMs: number }
  | { readonly do: 'wait'; readonly forMs: number }
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** Says nothing more, and keeps the connection. */
  | { readonly do: 'stall' }
  /** Cuts the connection. */
  | { readonly do: 'reset' }
  /** An error: a status before the stream has begun, an event of it afterwards. Ends the answer. */
  | {
      readonly do: 'fail'
      readonly status: number
      readonly message?: string
      readonly headers?: Readonly<Record<string, string>>
    }

/** Steps in their order; an answer that neither fails nor stalls is brought to its end. */
export type ModelAnswer = readonly ModelStep[]

/**
 * What each turn's question is answered with: a list in order of asking, the last one from then on, or a function of the
 * question. Questions that are no turn get a short text, unless a function says otherwise.
 */
export type ModelScript = readonly ModelAnswer[] | ((request: ModelRequest) => ModelAnswer)

/** The steps' short forms. */
export const says = {
  text: (text: string): ModelStep => ({ do: 'text', text }),
  thinking: (text: string): ModelStep => ({ do: 'thinking', text }),
  tool: (name: string, input: ToolCall['input']): ModelStep => ({ do: 'tools', calls: [{ name, input }] }),
  tools: (...calls: readonly ToolCall[]): ModelStep => ({ do: 'tools', calls }),
  begin: { do: 'begin' } satisfies ModelStep,
  pings: (times: number, everyMs: number): ModelStep => ({ do: 'pings', times, everyMs }),
  wait: (forMs: number): ModelStep => ({ do: 'wait', forMs }),
  hold: (until: Promise<unknown>): ModelStep => ({ do: 'hold', until }),
  stall: { do: 'stall' } satisfies ModelStep,
  reset: { do: 'reset' } satisfies ModelStep,
  rateLimited: (retryAfterSeconds?: number): ModelStep => ({
    do: 'fail',
    status: 429,
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  }),
  overloaded: { do: 'fail', status: 529 } satisfies ModelStep,
  broken: { do: 'fail', status: 500 } satisfies ModelStep,
} as const
