import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Every point between two effects of a session's life at which the crash test kills the host. */
export const BOUNDARIES = [
  'send:committed',
  'start:intended',
  'start:prepared',
  'start:created',
  'start:handle-recorded',
  'start:let-go',
  'start:recorded',
  'start:failed',
  'project:filled',
  'project:synced',
  'take:read',
  'take:stored',
  'settle:taken',
  'settle:ended',
  'settle:released',
  'stop:intended',
  'stop:signalled',
  'kill:recorded',
  'kill:signalled',
  'stop-session:cancelled',
  'close-session:closed',
  'cancel:requested',
  'delivery:confirmed',
  'request:done',
] as const

/** Those of cleaning, which a host begins only after a while: archive-crash.test.ts kills whoever archives there. */
export const CLEANING_BOUNDARIES = ['archive:packed', 'archive:removed'] as const

export type BoundaryName = (typeof BOUNDARIES)[number]

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))

/** The names the host's sources pass to `boundary`, sorted; a computed name shows as the call's own text. */
export async function boundariesOfSources(): Promise<string[]> {
  const files = (await readdir(SOURCES, { recursive: true })).filter((file) => file.endsWith('.ts'))
  const texts = await Promise.all(
    files.filter((file) => !file.endsWith('.test.ts')).map((file) => readFile(join(SOURCES, file), 'utf8')),
  )
  const calls = texts.flatMap((text) => [...text.matchAll(/\.boundary\(([^)]*)\)/g)])
  return [...new Set(calls.map(([, name = '']) => name.replace(/^'(.*)'$/, '$1')))].sort()
}
