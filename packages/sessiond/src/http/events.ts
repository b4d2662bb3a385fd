import { createRoute, z } from '@hono/zod-openapi'
import { SessiondError } from '../model/errors.ts'
import type { Api, ApiContext } from './api-context.ts'
import { bindingsOf } from './api-context.ts'
import { defined } from './defined.ts'
import { eventStream } from './event-stream.ts'
import { failureOf } from './failure.ts'
import { eventSchema } from './schemas/host.ts'
import { sessionIdInput, wholeNumber } from './schemas/inputs.ts'
import { failures } from './schemas/responses.ts'
import { strictObject } from './schemas/strict-object.ts'

/** Streams open at once; each holds a connection and a reader of the journal. */
const MAX_STREAMS = 256
const STREAMS_RETRY_MS = 5000

const eventId = wholeNumber(0, Number.MAX_SAFE_INTEGER).optional()

const eventsRoute = createRoute({
  method: 'get',
  path: '/v1/events',
  summary: 'Everything that happens, as server-sent events: id and event repeat the id and type of the data',
  request: {
    query: strictObject({ session: sessionIdInput.optional(), after: eventId }),
    headers: z.object({ 'Last-Event-ID': eventId }),
  },
  responses: {
    200: {
      description: 'Events after Last-Event-ID, else after `after`, else from now on; each data line is one Event.',
      content: { 'text/event-stream': { schema: eventSchema } },
    },
    ...failures,
  },
})

/** The event stream. */
export function registerEvents(app: Api, context: ApiContext): void {
  const { host, world } = context
  let open = 0
  app.openapi(eventsRoute, async (c) => {
    const { session, after } = c.req.valid('query')
    // A client that reconnects sends both: the header is where it really got to.
    const afterId = await startOf(context, c.req.valid('header')['Last-Event-ID'] ?? after)
    const headers = { 'Content-Type': 'text/event-stream; charset=utf-8' }
    // Nobody reads the body of a HEAD, so none may be opened.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    if (open >= MAX_STREAMS) throw tooManyStreams()
    open += 1
    const { closing, outgoing } = bindingsOf(c)
    const stream = eventStream({
      world,
      open: (signal) => host.events(defined({ afterId, sessionId: session, signal })),
      closing,
      cut: () => outgoing?.destroy(),
      onEnd: (error) => {
        open -= 1
        if (error !== undefined) failureOf(error, context, 'GET /v1/events')
      },
    })
    return c.body(stream, 200, headers)
  })
}

/** Fixes "from now on" before the answer begins, so that nothing between the two is missed. */
async function startOf({ host }: ApiContext, wanted: number | undefined): Promise<number> {
  const newest = await host.lastEventId()
  if (wanted !== undefined && wanted > newest) {
    // Waiting for the journal to get there would hide everything until then.
    throw new SessiondError(
      'BAD_REQUEST',
      `The event id ${wanted} is ahead of the newest, ${newest}: it is of another store.`,
      {
        fields: { field: 'after', after: wanted, newest },
      },
    )
  }
  return wanted ?? newest
}

function tooManyStreams(): SessiondError {
  return new SessiondError('RATE_LIMITED', `There are ${MAX_STREAMS} event streams open.`, {
    fields: { retryAfterMs: STREAMS_RETRY_MS },
  })
}
