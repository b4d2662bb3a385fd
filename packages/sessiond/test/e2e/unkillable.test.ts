import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import { type EngineProxy, engineProxy } from './engine-proxy.ts'
import { cleanUp, makeDataDir, shellGroup, startHost, type TestHost } from './harness.ts'

const ENGINE = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
const KILL = /\/containers\/[^/]+\/kill\b/

let proxy: EngineProxy | undefined

afterEach(async () => {
  if (proxy !== undefined) proxy.answering = () => null
  await cleanUp()
  await proxy?.[Symbol.asyncDispose]()
  proxy = undefined
})

/** A run at work on message `m`, and from now on an engine that answers every kill with `status` and does nothing. */
async function startUnkillable(status: number): Promise<{ test: TestHost; handle: string; kills: string[] }> {
  const through = await engineProxy(join(await makeDataDir(), 'engine.sock'), ENGINE)
  proxy = through
  const test = await startHost(
    { shell: shellGroup('docker') },
    {
      docker: { socketPath: through.socketPath },
      runs: { stopGrace: '300ms', killWait: '300ms', cancelGrace: '300ms' },
      sweep: { interval: '1s' },
    },
  )
  await test.host.send({ group: 'shell', id: 'm', text: "trap '' TERM; while :; do sleep 1; done" })
  await test.untilType('message:claimed')
  const kills: string[] = []
  through.answering = (_, path) => {
    if (!KILL.test(path)) return null
    kills.push(new URL(path, 'http://engine').searchParams.get('signal') ?? '')
    return { status, message: 'permission denied' }
  }
  return { test, handle: String((await test.untilType('run:started')).detail.handle), kills }
}

describeWithEngine('a run that does not die', () => {
  beforeAll(ensureTestImages, 120_000)

  it.each([
    ['is said to be killed and lives on', 204],
    ['may not be killed', 500],
  ])('(D2) because it %s: no second run, an alert, and work goes on once it is gone', async (_, status) => {
    const { test, handle, kills } = await startUnkillable(status)
    await test.host.stopSession('shell/main')
    await test.untilType('run:unkillable')
    expect(kills).toEqual(expect.arrayContaining(['SIGTERM', 'SIGKILL']))
    await test.host.send({ group: 'shell', id: 'next', text: 'echo next' })
    for (let sweep = 0; sweep < 3; sweep += 1) await test.host.sweepOnce({ dryRun: false })
    const { run, session, next } = await test.host.showSession('shell/main')
    expect({ state: run?.state, epoch: session.epoch, next }).toMatchObject({ state: 'unkillable', epoch: 1 })
    expect(next.because).toMatch(/unkillable|not-killed/)
    expect((await test.host.showMessage('next')).message).toMatchObject({ status: 'pending', tries: 0 })
    const health = await test.host.health()
    expect(health.problems).toEqual([expect.stringMatching(/does not die; its session is quarantined/)])
    const running = execFileSync('docker', [
      'ps',
      '-q',
      '--no-trunc',
      '--filter',
      `label=sessiond.install=${health.installId}`,
    ])
    expect(String(running).trim()).toBe(handle)

    // Whoever could not kill it here finds a way at last.
    execFileSync('docker', ['kill', '--signal', 'KILL', handle])
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['next'])
    expect((await test.host.showMessage('m')).message).toMatchObject({
      status: 'failed',
      failure: 'CANCELLED',
      tries: 0,
    })
    await until(async () => expect((await test.host.health()).problems).toEqual([]))
  })

  it('(D2) stays quarantined over a restart of the host', async () => {
    const { test, handle } = await startUnkillable(204)
    await test.host.stopSession('shell/main')
    await test.untilType('run:unkillable')
    await test.restart()
    await test.host.send({ group: 'shell', id: 'next', text: 'echo next' })
    for (let sweep = 0; sweep < 2; sweep += 1) await test.host.sweepOnce({ dryRun: false })
    expect((await test.host.showSession('shell/main')).run).toMatchObject({ state: 'unkillable', epoch: 1 })
    expect((await test.host.health()).problems).toEqual([expect.stringMatching(/does not die/)])
    execFileSync('docker', ['kill', '--signal', 'KILL', handle])
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['next'])
  })
})
