import { execFileSync } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import type { HostOptions } from '../../src/config/options.ts'
import { type CuttableProxy, cuttableProxy } from '../runtime/cuttable-proxy.ts'
import { cleanUp, makeDataDir, shellGroup, startHost, type TestHost } from './harness.ts'

/** Where the engine of this machine listens. */
const ENGINE = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'

const groups = { shell: shellGroup('docker'), near: shellGroup('process') }
const proxies: CuttableProxy[] = []

async function proxyTo(): Promise<CuttableProxy> {
  const proxy = await cuttableProxy(join(await makeDataDir(), 'engine.sock'), ENGINE)
  proxies.push(proxy)
  return proxy
}

afterEach(async () => {
  // The hosts need the engine to stop their containers.
  for (const proxy of proxies) proxy.mend()
  await cleanUp()
  for (const proxy of proxies.splice(0)) await proxy.close()
})

function behind(proxy: CuttableProxy): Partial<HostOptions> {
  return { docker: { socketPath: proxy.socketPath, callTimeout: '2s' }, sweep: { interval: '1s' } }
}

function countOf(test: TestHost, type: string): number {
  return test.events.filter((event) => event.type === type).length
}

async function expectLost(test: TestHost): Promise<void> {
  await test.untilType('runtime:lost')
  const { ok, problems } = await test.host.health()
  expect({ ok, problems }).toEqual({
    ok: false,
    problems: expect.arrayContaining(['runtime docker cannot be reached']),
  })
}

/** A few more sweeps: what would be repeated at each of them would show. */
async function afterSweeps(test: TestHost, count: number): Promise<void> {
  for (let sweep = 0; sweep < count; sweep += 1) await test.host.sweepOnce({ dryRun: false })
}

describeWithEngine('an engine that goes away', () => {
  beforeAll(ensureTestImages, 120_000)

  it('(D11, D21) at the start: the host comes up degraded, keeps what is sent, and works it off by itself', async () => {
    const proxy = await proxyTo()
    proxy.cut()
    const test = await startHost(groups, behind(proxy))
    await expectLost(test)
    await test.host.send({ group: 'shell', id: 'far', text: 'echo far' })
    await test.host.send({ group: 'near', id: 'near', text: 'echo near' })
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['near'])
    await afterSweeps(test, 3)
    const { message } = await test.host.showMessage('far')
    expect(message).toMatchObject({ status: 'pending', tries: 0 })
    expect((await test.host.showSession('shell/main')).session).toMatchObject({ spawnFailures: 0, epoch: 0 })
    expect([countOf(test, 'runtime:lost'), countOf(test, 'run:spawnFailed')]).toEqual([1, 0])
    proxy.mend()
    await test.untilType('message:completed', 2)
    expect(test.replies()).toEqual(['near', 'far'])
    expect([countOf(test, 'runtime:lost'), countOf(test, 'runtime:recovered')]).toEqual([1, 1])
    expect((await test.host.showMessage('far')).message.tries).toBe(0)
    await until(async () => expect((await test.host.health()).ok).toBe(true))
  })

  it('(D13) under a working container: nothing is killed or started again, and its work is taken in', async () => {
    const proxy = await proxyTo()
    const test = await startHost(groups, behind(proxy))
    await test.host.send({ group: 'shell', id: 'm', text: 'while ! test -e go; do sleep 0.1; done; echo worked' })
    await test.untilType('message:claimed')
    proxy.cut()
    await expectLost(test)
    await afterSweeps(test, 3)
    expect((await test.host.showSession('shell/main')).run).toMatchObject({ state: 'running', epoch: 1 })
    await mkdir(join(test.dataDir, 'sessions/shell/main/work/go'))
    proxy.mend()
    await test.untilType('message:completed')
    await test.untilType('runtime:recovered')
    await afterSweeps(test, 2)
    expect(test.replies()).toEqual(['worked'])
    expect((await test.host.showMessage('m')).message).toMatchObject({ status: 'completed', tries: 0 })
    for (const type of [
      'run:stopRequested',
      'run:killSent',
      'run:exited',
      'message:retried',
      'session:errored',
    ] as const) {
      expect({ type, count: countOf(test, type) }).toEqual({ type, count: 0 })
    }
    expect([countOf(test, 'run:started'), countOf(test, 'runtime:lost'), countOf(test, 'runtime:recovered')]).toEqual([
      1, 1, 1,
    ])
  })

  it('(invariant 5) under a container that dies meanwhile: its message is run again, and no try is spent', async () => {
    const proxy = await proxyTo()
    const test = await startHost(groups, behind(proxy))
    await test.host.send({ group: 'shell', id: 'm', text: 'test -e tried && exec echo again; touch tried; sleep 600' })
    await test.untilType('message:claimed')
    await until(() => access(join(test.dataDir, 'sessions/shell/main/work/tried')))
    proxy.cut()
    await expectLost(test)
    const handle = String((await test.untilType('run:started')).detail.handle)
    execFileSync('docker', ['kill', '--signal', 'KILL', handle])
    await afterSweeps(test, 2)
    expect((await test.host.showSession('shell/main')).run).toMatchObject({ state: 'running', epoch: 1 })
    proxy.mend()
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['again'])
    expect((await test.host.showMessage('m')).message).toMatchObject({ status: 'completed', tries: 0 })
  })

  it('while a run is being stopped: the stop is finished after the recovery, and no second run is started before', async () => {
    const proxy = await proxyTo()
    const test = await startHost(groups, {
      ...behind(proxy),
      runs: { stopGrace: '500ms', killWait: '1s', cancelGrace: '1s' },
    })
    const text = "trap '' TERM; touch up; while :; do sleep 1; done"
    await test.host.send({ group: 'shell', id: 'm', text })
    await test.untilType('message:claimed')
    await until(() => access(join(test.dataDir, 'sessions/shell/main/work/up')))
    proxy.cut()
    await test.host.stopSession('shell/main').catch(() => {})
    await expectLost(test)
    await test.host.send({ group: 'shell', id: 'next', text: 'echo next' })
    await afterSweeps(test, 3)
    const seen = await test.host.showSession('shell/main')
    expect(seen.run?.epoch).toBe(1)
    expect(seen.run?.state).not.toBe('gone')
    expect(countOf(test, 'run:unkillable')).toBe(0)
    proxy.mend()
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['next'])
    expect((await test.host.showMessage('m')).message).toMatchObject({
      status: 'failed',
      failure: 'CANCELLED',
      tries: 0,
    })
    expect(countOf(test, 'runtime:recovered')).toBe(1)
  })

  it('between two messages: what is sent meanwhile starts once it is back, announced once', async () => {
    const proxy = await proxyTo()
    const test = await startHost(groups, behind(proxy))
    await test.host.send({ group: 'shell', text: 'echo one' })
    await test.untilType('message:completed')
    await test.host.stopSession('shell/main')
    await test.untilType('run:exited')
    proxy.cut()
    await test.host.send({ group: 'shell', id: 'two', text: 'echo two' })
    await test.host.send({ group: 'shell', session: 'other', text: 'echo three' })
    await expectLost(test)
    await afterSweeps(test, 3)
    expect(countOf(test, 'run:spawnFailed')).toBe(0)
    expect((await test.host.showSession('shell/main')).session.spawnFailures).toBe(0)
    proxy.mend()
    await test.untilType('message:completed', 3)
    expect(test.replies().sort()).toEqual(['one', 'three', 'two'])
    expect([countOf(test, 'runtime:lost'), countOf(test, 'runtime:recovered')]).toEqual([1, 1])
    expect(countOf(test, 'session:errored')).toBe(0)
  })

  it('(D3, D13, D19) that answers nothing at all: what needs no engine goes on beside it, and then everything does', async () => {
    const proxy = await proxyTo()
    const change = { ...behind(proxy), sweep: { interval: '1s', concurrency: 1 } }
    const test = await startHost(groups, { ...change, docker: { socketPath: proxy.socketPath, callTimeout: '8s' } })
    await test.host.send({ group: 'shell', id: 'm', text: 'while ! test -e go; do sleep 0.1; done; echo worked' })
    await test.untilType('message:claimed')
    proxy.stall()
    // This one hangs in the engine from now on, and holds the only place of its runtime.
    await test.host.send({ group: 'shell', session: 'hangs', text: 'echo late' })
    await test.untilType('run:intended', 2)
    for (let index = 1; index <= 3; index += 1) {
      await test.host.send({ group: 'near', session: `s${index}`, text: `echo near ${index}` })
      await test.untilType('message:completed', index)
    }
    expect(countOf(test, 'runtime:lost')).toBe(0)
    await expectLost(test)
    await mkdir(join(test.dataDir, 'sessions/shell/main/work/go'))
    proxy.mend()
    await test.untilType('message:completed', 5)
    expect(test.replies().sort()).toEqual(['late', 'near 1', 'near 2', 'near 3', 'worked'])
    expect((await test.host.showMessage('m')).message.tries).toBe(0)
    expect((await test.host.listRuns('shell/main')).map((run) => run.epoch)).toEqual([1])
    expect(countOf(test, 'run:spawnFailed')).toBe(0)
  })
})
