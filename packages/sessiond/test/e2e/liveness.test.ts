import { execFileSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { build } from 'esbuild'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GroupOptions } from '../../src/config/options.ts'
import { cleanUp, makeDataDir, type RuntimeName, startHost, type TestHost, tell, untilFile } from './harness.ts'
import type { Mood } from './programs/moody-agent.ts'

afterEach(cleanUp)

const TIME_OUT_MS = 180_000
const PROGRAM = fileURLToPath(new URL('./programs/moody-agent.ts', import.meta.url))

/** Limits as short as they may be, so that no one waits for minutes; what is within them has to be left alone all the same. */
const STUCK = { frozen: '15s', toolGrace: '5s', toolSilent: '10s', silent: '10s' } as const

async function moodyGroup(runtime: RuntimeName): Promise<{ group: GroupOptions; folder: string }> {
  const folder = await makeDataDir()
  const program = join(folder, 'agent.mjs')
  const conditions = ['sessiond-source']
  await build({ entryPoints: [PROGRAM], outfile: program, bundle: true, platform: 'node', format: 'esm', conditions })
  await chmod(folder, 0o755)
  const common: GroupOptions = { stuck: STUCK, retry: { base: '20ms', max: '100ms' } }
  if (runtime === 'process') return { group: { ...common, runner: { command: [process.execPath, program] } }, folder }
  const docker = { runtime, image: 'sessiond-test:node', network: 'none' } as const
  const mounts = [{ source: folder, target: '/agent' }]
  return { group: { ...common, ...docker, mounts, runner: { command: ['node', '/agent/agent.mjs'] } }, folder }
}

async function startMoody(runtime: RuntimeName, moods: readonly Mood[]): Promise<TestHost> {
  const { group, folder } = await moodyGroup(runtime)
  const runs = { stopGrace: '1s', killWait: '10s' }
  const test = await startHost({ moody: group }, { runs, mounts: { roots: [{ path: folder }] } })
  for (const mood of moods) await test.host.send({ group: 'moody', session: mood, id: mood, text: mood })
  return test
}

function eventsOf(test: TestHost, mood: Mood) {
  return test.events.filter((event) => event.sessionId === `moody/${mood}`)
}

async function untilAnswered(test: TestHost, mood: Mood): Promise<void> {
  await test.until(`the end of ${mood}`, (event) => event.type === 'message:completed' && event.messageId === mood)
}

async function why(test: TestHost, mood: Mood, epoch: number): Promise<string> {
  return (await test.host.why({ sessionId: `moody/${mood}`, epoch })).sentences.join('\n')
}

/** Stops every process of the run, from outside. */
function freeze(handle: string): void {
  const pids = /^\d+:/.test(handle)
    ? [-Number(handle.split(':')[0])]
    : execFileSync('docker', ['top', handle, '-o', 'pid'], { encoding: 'utf8' }).trim().split('\n').slice(1).map(Number)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
}

function exerciseLiveness(runtime: RuntimeName): void {
  it(
    'ends what is stuck, each for its own reason, leaves alone what is not, and says why',
    async () => {
      const moods: Mood[] = ['well', 'crashes', 'hangs', 'spins', 'computes', 'declares']
      const test = await startMoody(runtime, moods)
      await untilFile(test, 'moody/well', 'tried')
      const started = await test.until(
        'a start',
        ({ type, sessionId }) => type === 'run:started' && sessionId === 'moody/well',
      )
      await test.until('its claim', ({ type, messageId }) => type === 'message:claimed' && messageId === 'well')
      freeze(String(started.detail.handle))
      for (const mood of moods) await untilAnswered(test, mood)

      const ends = Object.fromEntries(
        await Promise.all(
          moods.map(async (mood) => [mood, (await test.host.listRuns(`moody/${mood}`)).map((run) => run.end)] as const),
        ),
      )
      expect(ends, tell(test.events)).toEqual({
        well: [null, 'frozen'],
        crashes: [null, 'exited'],
        hangs: [null, 'tool-overdue'],
        spins: [null, 'frozen'],
        computes: [null],
        declares: [null],
      })
      expect(test.replies().sort()).toEqual(['again', 'again', 'again', 'again', 'built', 'slept'])
      for (const mood of ['computes', 'declares'] as const) {
        expect(eventsOf(test, mood).filter(({ type }) => type === 'message:retried')).toEqual([])
      }
      expect(await why(test, 'well', 1)).toMatch(
        /because its loop did not turn: no beat for .* \(stuck\.frozen allows 15s\)/,
      )
      expect(await why(test, 'spins', 1)).toMatch(/because its loop did not turn: no beat for /)
      const hung = await why(test, 'hangs', 1)
      expect(hung).toMatch(/because tool "fetch" had declared no time, .* \(stuck\.toolSilent allows 10s\)/)
      expect(hung).toMatch(/Message hangs was handed back \(tool-overdue\): 1 try is spent/)
      expect(hung).toMatch(/Its processes then: .+ \([A-Z], /)
      const { box } = await test.host.why({ sessionId: 'moody/hangs', epoch: 1 })
      expect(box?.output).toContain('in the mood for hangs')
      expect(await why(test, 'crashes', 1)).toMatch(/It ended by itself at .*: code 3\./)
      expect((await test.host.why({ messageId: 'hangs' })).sentences.join('\n')).toContain('it is done')
    },
    TIME_OUT_MS,
  )
}

describe('the judge, of processes', () => {
  exerciseLiveness('process')

  it(
    '(D21) takes sessions of one account that stall together for an outage of what they share: told once, and retried free',
    async () => {
      const { group, folder } = await moodyGroup('process')
      const more = {
        runs: { stopGrace: '1s' },
        mounts: { roots: [{ path: folder }] },
        provider: { wait: '3s' },
      } as const
      const stuck = { ...STUCK, modelSilent: '10s' } as const
      const test = await startHost({ moody: { ...group, stuck } }, more)
      const names = ['a', 'b', 'c', 'd']
      for (const session of names) await test.host.send({ group: 'moody', session, id: session, text: 'well' })
      await test.untilType('message:completed', names.length)
      const messages = await Promise.all(names.map((name) => test.host.showMessage(name)))
      const tries = messages.map(({ message }) => message.tries)
      // Who is stopped before anybody else has stalled cannot know better.
      expect(
        tries.reduce((sum, each) => sum + each, 0),
        tell(test.events),
      ).toBeLessThanOrEqual(1)
      const parked = test.events.filter(({ type }) => type === 'account:parked')
      expect(parked.map(({ detail }) => detail.reason)).toEqual(['outage'])
      const ends = test.events.filter(({ type }) => type === 'run:exited').map(({ detail }) => detail.end)
      expect(ends.filter((end) => end === 'silent')).toHaveLength(names.length)
    },
    TIME_OUT_MS,
  )
})

describeWithEngine('the judge, of containers', () => {
  beforeAll(ensureTestImages, TIME_OUT_MS)
  exerciseLiveness('docker')
})
