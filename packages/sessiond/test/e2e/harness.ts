import { existsSync, watch } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { HostEvent } from '../../src/api.ts'
import type { GroupOptions, HostOptions } from '../../src/config/options.ts'
import { createHost, type Host } from '../../src/create-host.ts'
import type { HostExtras } from '../../src/host.ts'
import type { JournalType } from '../../src/model/journal.ts'

export type RuntimeName = 'process' | 'docker'

/** A host on its own data directory with everything it has said so far. */
export interface TestHost {
  readonly host: Host
  readonly dataDir: string
  readonly events: readonly HostEvent[]
  /** The first event, past or to come, that fits; rejects with what was seen when the host stops before. */
  until(what: string, fits: (event: HostEvent) => boolean): Promise<HostEvent>
  /** The n-th event of a type, counted over the whole test. */
  untilType(type: JournalType, nth?: number): Promise<HostEvent>
  /** Texts of the replies so far, host's own included. */
  replies(): string[]
  restart(change?: Partial<HostOptions>): Promise<void>
}

const FAST: Omit<HostOptions, 'groups'> = {
  api: { port: 0 },
  retry: { base: '20ms', max: '100ms' },
  spawn: { base: '100ms', max: '200ms' },
  runs: { stopGrace: '3s', killWait: '3s', cancelGrace: '500ms' },
  shutdown: { drain: '5s' },
  log: { level: 'silent' },
}

const cleanUps: (() => Promise<void>)[] = []

/** Stops every host of the test and removes its files; for `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const cleanUpOne of cleanUps.splice(0).reverse()) await cleanUpOne()
}

export async function makeDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-e2e-'))
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

export async function startHost(
  groups: Readonly<Record<string, GroupOptions>>,
  change: Partial<HostOptions> = {},
  extras: HostExtras = {},
): Promise<TestHost> {
  const dataDir = change.dataDir ?? (await makeDataDir())
  const events: HostEvent[] = []
  const waiting = new Set<() => void>()
  let host = await open(change)
  let ending = new AbortController()
  let following = follow(0)

  async function open(more: Partial<HostOptions>): Promise<Host> {
    const logger = pino({ level: process.env.SESSIOND_TEST_LOG ?? 'silent' }, pino.destination(2))
    const opened = createHost({ ...FAST, groups, ...change, ...more, dataDir }, { logger, ...extras })
    await opened.start()
    return opened
  }

  async function follow(afterId: number): Promise<void> {
    for await (const event of host.events({ afterId, signal: ending.signal })) {
      events.push(event)
      wakeAll()
    }
    wakeAll()
  }

  function wakeAll(): void {
    for (const wake of waiting) wake()
    waiting.clear()
  }

  async function stop(): Promise<void> {
    await host.stop()
    ending.abort()
    await following
  }

  cleanUps.push(stop)

  const test: TestHost = {
    get host() {
      return host
    },
    dataDir,
    events,
    async until(what, fits) {
      for (let looked = 0; ; ) {
        for (; looked < events.length; looked += 1) {
          const event = events[looked]
          if (event !== undefined && fits(event)) return event
        }
        if (ending.signal.aborted) throw new Error(`The host stopped before ${what}; it said:\n${tell(events)}`)
        await new Promise<void>((resolve) => {
          waiting.add(resolve)
        })
      }
    },
    untilType(type, nth = 1) {
      return test.until(`${type} number ${nth}`, (event) => {
        return event.type === type && events.filter((each) => each.type === type).indexOf(event) === nth - 1
      })
    },
    replies: () => events.flatMap((event) => (event.reply === undefined ? [] : [textOf(event.reply.content)])),
    async restart(more = {}) {
      await stop()
      ending = new AbortController()
      host = await open(more)
      following = follow(events.at(-1)?.id ?? 0)
    },
  }
  return test
}

/** Resolves once a file is in a session's workspace: the agent has come that far. */
export async function untilFile(test: TestHost, sessionId: string, name: string): Promise<void> {
  const workDir = join(test.dataDir, 'sessions', sessionId, 'work')
  await test.until('its claim', (event) => event.type === 'message:claimed' && event.sessionId === sessionId)
  await new Promise<void>((resolve) => {
    const watcher = watch(workDir, () => look())
    const look = () => {
      if (!existsSync(join(workDir, name))) return
      watcher.close()
      resolve()
    }
    look()
  })
}

export function textOf(content: string): string {
  return String((JSON.parse(content) as { text?: unknown }).text)
}

/** What happened, a line an event, for failures. */
export function tell(events: readonly HostEvent[]): string {
  return events
    .map(({ type, sessionId, epoch, messageId, detail }) =>
      [type, sessionId, epoch, messageId, JSON.stringify(detail)].join(' '),
    )
    .join('\n')
}

/** A group of the given runtime whose agent is a shell script fed by the message. */
export function shellGroup(runtime: RuntimeName, change: GroupOptions = {}): GroupOptions {
  const docker = runtime === 'docker' ? { runtime, image: 'sessiond-test:busybox', network: 'none' } : {}
  return { agent: { command: ['sh'] }, ...docker, ...change }
}
