import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realWorld, type World } from '../../src/world.ts'
import type { TestHost } from './harness.ts'

export const DAY_MS = 86_400_000

/** Sends a text and waits for its end, so that the session's folders exist. */
export async function say(test: TestHost, session: string, text = 'true'): Promise<void> {
  const { messageId } = await test.host.send({ group: 'shell', session, text })
  await test.until(`the end of ${messageId}`, (event) => {
    return event.type === 'message:completed' && event.messageId === messageId
  })
}

/** A file in a session's Claude folder that was last written so many days ago. */
export async function leave(
  dataDir: string,
  session: string,
  path: string,
  ageDays: number,
  bytes = 10_000,
): Promise<string> {
  const file = join(dataDir, 'sessions/shell', session, 'work/.claude', path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, 'x'.repeat(bytes))
  const at = new Date(Date.now() - ageDays * DAY_MS)
  await utimes(file, at, at)
  return file
}

/** A world in which what waits a minute waits until a test says so. */
export function handWound(): { readonly world: World; strike(): void } {
  let waiting: (() => void)[] = []
  const world: World = {
    ...realWorld,
    setTimer(delayMs, fn) {
      if (delayMs !== 60_000) return realWorld.setTimer(delayMs, fn)
      waiting.push(fn)
      return () => {
        waiting = waiting.filter((each) => each !== fn)
      }
    },
  }
  return { world, strike: () => waiting.splice(0).forEach((fn) => void fn()) }
}
