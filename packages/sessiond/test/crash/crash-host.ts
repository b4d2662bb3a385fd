/**
 * A host that lives one planned life, as a program of its own: started with a HostJob as its only argument, it sends
 * the life's messages, dies where the plan says so, and says what happened as one JSON line each on its output.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { HostEvent } from '../../src/api.ts'
import type { HostOptions } from '../../src/config/options.ts'
import { createHost, type Host } from '../../src/create-host.ts'
import { SessiondError } from '../../src/model/errors.ts'
import { realWorld } from '../../src/world.ts'
import type { Life, PlannedAction, PlannedMessage } from './crash-plan.ts'

/** What the program is started with. */
export interface HostJob {
  readonly options: HostOptions
  readonly dataDir: string
  readonly group: string
  readonly life: Life
}

/** What the program says. `acked` comes only after the send resolved. */
export type HostWord =
  | { readonly word: 'acked'; readonly id: string }
  | { readonly word: 'refused'; readonly id: string; readonly code: string }
  | { readonly word: 'acted'; readonly kind: string; readonly outcome: string }
  | { readonly word: 'died'; readonly at: string }
  | { readonly word: 'quiet' }
  | { readonly word: 'stopped' }

const job = JSON.parse(process.argv[2] ?? '') as HostJob
const { life } = job
const passed = new Map<string, number>()

const world = {
  ...realWorld,
  boundary(name: string): void {
    for (const key of [name, 'any']) passed.set(key, (passed.get(key) ?? 0) + 1)
    if (life.death !== null && passed.get(life.death.at) === life.death.nth) die(name)
  },
}

const host = createHost(job.options, { world, listen: false })
await host.start()
await liveUntilQuiet()
say({ word: 'quiet' })
if (life.end === 'kill') die('quiet')
await host.stop()
// Nothing ends this process by force: something left open would keep it, and show as a case that does not end.
say({ word: 'stopped' })

/** Resolves when every message has ended and every reply is delivered. */
async function liveUntilQuiet(): Promise<void> {
  const pending = [...life.actions]
  const controller = new AbortController()
  let isSending = true
  const events = host.events({ afterId: await host.lastEventId(), signal: controller.signal })
  const sending = sendAll().then(() => {
    isSending = false
    if (isAllDone()) controller.abort()
  })
  for await (const event of events) {
    for (const action of pending.filter((one) => isCue(one, event))) {
      pending.splice(pending.indexOf(action), 1)
      await act(action, event)
    }
    if (!isSending && isAllDone()) break
  }
  await sending
}

async function sendAll(): Promise<void> {
  await Promise.all(life.messages.map(send))
}

async function send({ id, session, text }: PlannedMessage): Promise<void> {
  try {
    await host.send({ group: job.group, session, id, text })
    say({ word: 'acked', id })
  } catch (error) {
    say({ word: 'refused', id, code: codeOf(error) })
  }
}

function isCue(action: PlannedAction, event: HostEvent): boolean {
  return event.type === action.after && event.sessionId === `${job.group}/${action.session}`
}

async function act({ kind, session }: PlannedAction, event: HostEvent): Promise<void> {
  const sessionId = `${job.group}/${session}`
  const operations: Record<PlannedAction['kind'], (from: Host) => Promise<unknown>> = {
    cancel: (from) => from.cancelMessage(event.messageId ?? ''),
    stop: (from) => from.stopSession(sessionId),
    close: (from) => from.closeSession(sessionId),
  }
  try {
    say({ word: 'acted', kind, outcome: JSON.stringify(await operations[kind](host)) })
  } catch (error) {
    say({ word: 'acted', kind, outcome: codeOf(error) })
  }
}

/** Asks the file itself, beside the host: nothing of the host's own view is taken on trust. */
function isAllDone(): boolean {
  const store = new DatabaseSync(join(job.dataDir, 'store.db'), { readOnly: true })
  try {
    const open = `SELECT (SELECT count(*) FROM messages WHERE status IN ('pending', 'claimed'))
      + (SELECT count(*) FROM deliveries WHERE status = 'pending')
      + (SELECT count(*) FROM requests WHERE status IS NULL) AS count`
    return store.prepare(open).get()?.count === 0
  } finally {
    store.close()
  }
}

function codeOf(error: unknown): string {
  // What is not ours is a bug of the host and must not pass for a refusal.
  if (error instanceof SessiondError) return error.code
  throw error
}

/** Synchronously, so that what was said before a death is heard. */
function say(word: HostWord): void {
  writeSync(1, `${JSON.stringify(word)}\n`)
}

function die(at: string): never {
  say({ word: 'died', at })
  process.kill(process.pid, 'SIGKILL')
  throw new Error('This process outlived its SIGKILL')
}
