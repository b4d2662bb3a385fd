import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import { ask, cliOf, spawnHost } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost } from './harness.ts'
import { settableWorld } from './settable-world.ts'

afterEach(cleanUp)

const all = { shell: shellGroup('process'), gone: shellGroup('process') }
const left = { shell: shellGroup('process') }

it('(D20) parks the sessions of a group that left the configuration, lets its live run end its work, and says why', async () => {
  const dataDir = await makeDataDir()
  await using first = await spawnHost({ dataDir, groups: all, api: { port: 0 }, log: { level: 'silent' } })
  const started = { dataDir, host: first.outcome } as Parameters<typeof ask>[0]
  const send = async (session: string, body: object) =>
    expect((await ask(started, 'POST', `/v1/sessions/gone/${session}/messages`, body)).status).toBe(202)
  await send('busy', { id: 'working', text: 'touch up; while ! test -e go; do sleep 0.05; done; echo worked' })
  await send('busy', { id: 'behind', text: 'echo behind', after: '1h' })
  await send('waits', { id: 'waiting', text: 'echo waited', after: '1h' })
  await until(async () => {
    const { body } = await ask(started, 'GET', '/v1/messages/working')
    expect(body.message).toMatchObject({ status: 'claimed' })
  })
  // Killed, not stopped: the run lives on.
  await first[Symbol.asyncDispose]()

  const { world, stepWallClock } = settableWorld()
  const test = await startHost(left, { dataDir }, { world })
  await test.until('the adoption', (event) => event.type === 'run:adopted')
  await mkdir(join(dataDir, 'sessions/gone/busy/work/go'))
  await test.until(
    'the end of the work',
    (event) => event.type === 'message:completed' && event.messageId === 'working',
  )
  const stopped = await test.untilType('run:stopRequested')
  expect(stopped.detail).toMatchObject({ end: 'idle', evidence: { because: 'group-not-configured' } })
  await test.untilType('run:exited')
  expect(test.replies()).toEqual(['worked'])

  const cli = await cliOf(test, left)
  await expect(test.host.send({ group: 'gone', text: 'x' })).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' })
  for (const [session, id] of [
    ['busy', 'behind'],
    ['waits', 'waiting'],
  ] as const) {
    expect((await test.host.showMessage(id)).message).toMatchObject({ status: 'pending', tries: 0 })
    expect((await cli(['show', `gone/${session}`])).stdout).toMatch(/next step +leave: group-not-configured/)
  }
  stepWallClock(2 * 3_600_000)
  const sweep = await cli(['sweep', '--once', '--dry-run'])
  expect(sweep.stdout).toMatch(/gone\/busy +- +leave +group-not-configured/)
  expect(sweep.stdout).toMatch(/gone\/waits +- +leave +group-not-configured/)
  const health = await cli(['health'])
  expect({ code: health.code, stdout: health.stdout }).toEqual({
    code: 5,
    stdout: expect.stringContaining('group gone is not configured: its due messages wait'),
  })
  await test.host.send({ group: 'shell', text: 'echo fine' })
  await test.until('the other group', (event) => event.type === 'message:completed' && event.sessionId === 'shell/main')

  await test.restart({ groups: all })
  await test.until('one', (event) => event.type === 'message:completed' && event.messageId === 'behind')
  await test.until('the other', (event) => event.type === 'message:completed' && event.messageId === 'waiting')
  expect(test.replies().sort()).toEqual(['behind', 'fine', 'waited', 'worked'])
  expect((await test.host.health()).problems).toEqual([])
})
