import type { Context, MiddlewareHandler } from 'hono'
import { SessiondError } from '../model/errors.ts'
import type { ApiContext, ApiEnv } from './api-context.ts'

const BODYLESS_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * Reads the body once, bounded however it is framed, and leaves it as text for the validators: they never see
 * more than config.maxBodyBytes, another content type or invalid UTF-8.
 */
export function readBody({ config }: ApiContext): MiddlewareHandler<ApiEnv> {
  const { maxBodyBytes } = config
  return async (c, next) => {
    if (!BODYLESS_METHODS.includes(c.req.method)) {
      const text = decode(await readBounded(c, maxBodyBytes))
      if (text.length > 0) checkMediaType(c)
      // The validators read from this cache, which holds promises whatever its type says.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) })
    }
    await next()
  }
}

async function readBounded(c: Context<ApiEnv>, maxBodyBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new SessiondError('BODY_TOO_LARGE', `The body is over ${maxBodyBytes} bytes.`, { fields: { maxBodyBytes } })
  // A declared length is refused before a byte is read; what is not declared is counted as it comes.
  if (Number(c.req.header('content-length') ?? 0) > maxBodyBytes) throw tooLarge()
  const body = c.req.raw.body
  if (body === null) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of whole(body)) {
    bytes += chunk.byteLength
    if (bytes > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A client that lets go half-way is at fault, not the host: the stream's own error would count as one nobody foresaw. */
async function* whole(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw new SessiondError('BAD_REQUEST', 'The body broke off.', { cause, fields: { in: 'body' } })
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SessiondError('TEXT_NOT_UTF8', 'The body is not valid UTF-8.', { cause })
  }
}

function checkMediaType(c: Context<ApiEnv>): void {
  const mediaType = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (mediaType === 'application/json') return
  const shown = mediaType ? mediaType.slice(0, 100) : 'missing'
  throw new SessiondError('MEDIA_TYPE_REFUSED', `The Content-Type of the body is ${shown}.`)
}
