import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GroupOptions } from '../../src/config/options.ts'
import { cleanUp, type RuntimeName, shellGroup, startHost, type TestHost, textOf } from './harness.ts'

const PROGRAM = fileURLToPath(new URL('./programs/mcp-client.ts', import.meta.url))
const MOUNTED = '/client'

type Call = readonly [tool: string, parameters: Readonly<Record<string, unknown>>]

interface Said {
  readonly name: string
  readonly isError: boolean
  readonly text: string
}

let clientDir: string

beforeAll(async () => {
  clientDir = await mkdtemp(join(tmpdir(), 'sessiond-mcp-client-'))
  const outfile = join(clientDir, 'client.mjs')
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' }
  // Containers run as another user.
  await chmod(clientDir, 0o755)
  await build({ entryPoints: [PROGRAM], bundle: true, platform: 'node', format: 'esm', outfile, banner })
})

afterEach(cleanUp)
afterAll(() => rm(clientDir, { recursive: true, force: true }))

function groupOf(runtime: RuntimeName): GroupOptions {
  const zone = { timeZone: 'Europe/Berlin' }
  if (runtime === 'process') return shellGroup(runtime, zone)
  return shellGroup(runtime, { ...zone, mounts: [{ source: clientDir, target: MOUNTED }] })
}

function startFor(runtime: RuntimeName): Promise<TestHost> {
  return startHost({ shell: groupOf(runtime) }, { mounts: { roots: [{ path: clientDir }] } })
}

/** A shell script that has an MCP client call tools, started with the Node the server itself is started with. */
function calling(runtime: RuntimeName, calls: readonly Call[]): string {
  const client = runtime === 'process' ? join(clientDir, 'client.mjs') : `${MOUNTED}/client.mjs`
  const words = `words=$(printf %s "$SESSIOND_MCP" | tr -d '[]"' | tr , ' ')`
  return `${words}; exec \${words% *} ${client} '${JSON.stringify(calls)}'`
}

/** What the tools answered, in order; the last words of the agent. */
async function answersTo(test: TestHost, id: string): Promise<Said[]> {
  await test.until(`the end of ${id}`, ({ type, messageId }) => type === 'message:completed' && messageId === id)
  const answer = test.events.find(({ reply }) => reply?.inReplyTo === id)?.reply
  return textOf(answer?.content ?? '{}')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Said)
}

function exerciseRequests(runtime: RuntimeName): void {
  it('an agent schedules, looks, changes, pauses, resumes and cancels through its MCP server', async () => {
    const test = await startFor(runtime)
    const text = calling(runtime, [
      ['schedule_task', { text: 'echo morning', cron: '0 9 * * 1-5' }],
      ['list_tasks', {}],
      ['update_task', { task: '$task', cron: '30 17 * * *' }],
      ['pause_task', { task: '$task' }],
      ['resume_task', { task: '$task' }],
      ['cancel_task', { task: '$task' }],
      ['list_tasks', {}],
    ])
    await test.host.send({ group: 'shell', id: 'm', text })
    const said = await answersTo(test, 'm')
    expect(said.map(({ isError }) => isError)).toEqual(said.map(() => false))
    const [scheduled, listed, updated, paused, resumed, cancelled, empty] = said.map(({ text }) => text)
    expect(scheduled).toMatch(/by the clock of Europe\/Berlin\. It runs:\n- \w{3} \d{4}-\d\d-\d\d 09:00:00 \+0[12]:00 /)
    expect(listed).toContain('echo morning')
    expect(updated).toContain(' 17:30:00 +0')
    expect(paused).toContain('is paused')
    expect(resumed).toContain(' 17:30:00 +0')
    expect(cancelled).toContain('is cancelled')
    expect(empty).toBe('There are no tasks in this session.')
    const [series] = await test.host.listSeries({ states: ['ended'] })
    expect(series).toMatchObject({ sessionId: 'shell/main', sourceSessionId: 'shell/main', state: 'ended' })
    expect(await test.host.checkLedger(series?.id ?? '')).toMatchObject({ balances: true })
  })

  it('what an agent scheduled is told to it in its own session when it is due', async () => {
    const test = await startFor(runtime)
    const text = calling(runtime, [['schedule_task', { text: 'echo later', after: '1s' }]])
    await test.host.send({ group: 'shell', session: 'own', id: 'm', text })
    expect((await answersTo(test, 'm'))[0]?.isError).toBe(false)
    const told = await test.until('its task', ({ reply }) => textOf(reply?.content ?? '{}') === 'later')
    expect(told.sessionId).toBe('shell/own')
  })

  it('what an agent says meanwhile goes where its message came from', async () => {
    const test = await startFor(runtime)
    const text = calling(runtime, [['send_message', { text: 'half way' }]])
    await test.host.send({ group: 'shell', id: 'm', text, platformId: 'room-7', channelType: 'chat', threadId: 'x' })
    expect(await answersTo(test, 'm')).toEqual([{ name: 'send_message', isError: false, text: 'Sent.' }])
    const told = test.events.find(({ reply }) => reply?.content.includes('half way') === true)
    expect(told?.reply?.address).toEqual({ platformId: 'room-7', channelType: 'chat', threadId: 'x' })
  })
}

describe('what agents ask their host, on processes', () => {
  exerciseRequests('process')

  it('(G8) an agent neither sees nor changes tasks of other sessions', async () => {
    const test = await startFor('process')
    const { series } = await test.host.schedule({ group: 'shell', session: 'other', text: 'echo', cron: '0 9 * * *' })
    const text = calling('process', [
      ['list_tasks', {}],
      ['cancel_task', { task: series.id }],
      ['update_task', { task: series.id, text: 'echo mine' }],
      ['pause_task', { task: series.id }],
    ])
    await test.host.send({ group: 'shell', id: 'm', text })
    const [none, ...refused] = await answersTo(test, 'm')
    expect(none?.text).toBe('There are no tasks in this session.')
    expect(refused.map(({ isError, text }) => [isError, text.includes('There is no task')])).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ])
    expect(await test.host.listSeries({})).toEqual([series])
  })

  it('(E9) an agent is told why its schedule was refused, and nothing is stored', async () => {
    const test = await startFor('process')
    const text = calling('process', [
      ['schedule_task', { text: 'echo', cron: '0 0 30 2 *' }],
      ['schedule_task', { text: 'echo', at: 'sometime soon' }],
      ['schedule_task', { text: 'echo', at: '2020-01-01 09:00' }],
      ['schedule_task', { text: 'echo' }],
    ])
    await test.host.send({ group: 'shell', id: 'm', text })
    const said = await answersTo(test, 'm')
    expect(said.map(({ isError }) => isError)).toEqual([true, true, true, true])
    expect(said[0]?.text).toContain('never')
    expect(await test.host.listSeries({})).toEqual([])
  })
})

describeWithEngine('what agents ask their host, in containers', () => {
  beforeAll(ensureTestImages, 180_000)
  exerciseRequests('docker')
})
