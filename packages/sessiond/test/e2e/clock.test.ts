import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { cleanUp, shellGroup, startHost, type TestHost } from './harness.ts'
import { settableWorld } from './settable-world.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WAITS_FOR_GO = 'touch up; while ! test -e go; do sleep 0.05; done; echo worked'

function expectNothingKilled(test: TestHost): void {
  const bad = [
    'run:stopRequested',
    'run:killSent',
    'run:exited',
    'run:spawnFailed',
    'message:retried',
    'message:failed',
  ]
  expect(test.events.filter((event) => bad.includes(event.type))).toEqual([])
}

async function letGo(test: TestHost): Promise<void> {
  await mkdir(join(test.dataDir, 'sessions/shell/main/work/go'))
  await test.until('the work', (event) => event.type === 'message:completed' && event.messageId === 'working')
}

it.each([
  ['forward and back', DAY_MS, -DAY_MS],
  ['back and forward', -DAY_MS, DAY_MS],
])('(A13) a wall clock stepped %s by a day kills nothing and runs nothing twice', async (_, first, second) => {
  const { world, stepWallClock } = settableWorld()
  const test = await startHost(groups, {}, { world })
  await test.host.send({ group: 'shell', id: 'working', text: WAITS_FOR_GO })
  await test.untilType('message:claimed')
  await test.host.send({ group: 'shell', session: 'hour', id: 'in-an-hour', text: 'echo an hour', after: '1h' })
  await test.host.send({ group: 'shell', session: 'days', id: 'in-days', text: 'echo days', after: '50h' })
  for (const stepMs of [first, second, first, second]) {
    stepWallClock(stepMs)
    for (let sweep = 0; sweep < 3; sweep += 1) await test.host.sweepOnce({ dryRun: false })
    // By the clock there was, it was due: once.
    if (stepMs === DAY_MS && first > 0) await test.untilType('message:completed')
    expectNothingKilled(test)
  }
  await letGo(test)
  expect((await test.host.showMessage('in-days')).message).toMatchObject({ status: 'pending', attempt: 0 })
  expect(test.replies().sort()).toEqual(first > 0 ? ['an hour', 'worked'] : ['worked'])
  expectNothingKilled(test)
  expect((await test.host.health()).problems).toEqual([])
})

it('(A13) what was sent before the wall clock was set back an hour runs before what is sent after', async () => {
  const { world, stepWallClock } = settableWorld()
  const test = await startHost(groups, { runs: { max: 1, stopGrace: '3s' } }, { world })
  await test.host.send({ group: 'shell', id: 'working', text: WAITS_FOR_GO })
  await test.untilType('message:claimed')
  await test.host.send({ group: 'shell', session: 'waits', id: 'before', text: 'echo before' })
  await test.host.send({ group: 'shell', session: 'later', id: 'in-a-minute', text: 'echo too early', after: '1m' })
  stepWallClock(-HOUR_MS)
  await test.host.sweepOnce({ dryRun: false })
  expect((await test.host.showMessage('before')).message.processAfterMs).toBeLessThanOrEqual(world.now())
  await test.host.send({ group: 'shell', session: 'waits', id: 'after', text: 'echo after' })
  await letGo(test)
  await test.until('both', (event) => event.type === 'message:completed' && event.messageId === 'after')
  expect(test.replies()).toEqual(['worked', 'before', 'after'])
  expect((await test.host.showMessage('in-a-minute')).message).toMatchObject({ status: 'pending', attempt: 0 })
})

it('a message due in the future is run once the wall clock is set past it, by the next sweep at the latest', async () => {
  const { world, stepWallClock } = settableWorld()
  const test = await startHost(groups, {}, { world })
  await test.host.send({ group: 'shell', id: 'later', text: 'echo later', after: '1h' })
  await test.host.sweepOnce({ dryRun: false })
  expect((await test.host.showMessage('later')).message.status).toBe('pending')
  stepWallClock(HOUR_MS)
  await test.host.sweepOnce({ dryRun: false })
  await test.untilType('message:completed')
  expect(test.replies()).toEqual(['later'])
})

it('(A14, invariant 11) time the host itself stood still counts against no run, whatever wakes the host first', async () => {
  const { world, stall } = settableWorld()
  const test = await startHost(groups, {}, { world })
  await test.host.send({ group: 'shell', id: 'working', text: WAITS_FOR_GO })
  await test.untilType('message:claimed')
  const handle = String((await test.untilType('run:started')).detail.handle)
  const group = -Number(handle.split(':')[0])
  // The whole machine stood still: neither the run nor its judge did anything.
  process.kill(group, 'SIGSTOP')
  stall(HOUR_MS)
  await test.host.send({ group: 'shell', id: 'next', text: 'echo next' })
  await test.untilType('host:stalled')
  await test.host.sweepOnce({ dryRun: false })
  expectNothingKilled(test)
  process.kill(group, 'SIGCONT')
  await letGo(test)
  await test.untilType('message:completed', 2)
  expect(test.replies()).toEqual(['worked', 'next'])
  expectNothingKilled(test)
})
