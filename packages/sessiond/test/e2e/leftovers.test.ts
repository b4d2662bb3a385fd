import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_ENV } from '@sessiond/protocol'
import { describeWithEngine, ensureTestImages, TEST_IMAGE } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import type { RunHandle } from '../../src/model/run.ts'
import { systemProcessTable } from '../../src/runtime/process/process-table.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../src/world.ts'
import { dockerResources } from '../runtime/docker-resources.ts'
import { cleanUp, type RuntimeName, shellGroup, startHost, untilFile } from './harness.ts'

const containers: string[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  await cleanUp()
  for (const id of containers.splice(0)) removeContainer(id)
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function removeContainer(id: string): void {
  try {
    execFileSync('docker', ['rm', '--force', id], { stdio: 'ignore' })
  } catch {
    // The host removed it, as it should.
  }
}

/** A running container of the given labels, as an earlier host may have left it. */
function leaveContainer(name: string, labels: Readonly<Record<string, string>>): string {
  const options = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])
  const args = ['run', '--detach', '--network', 'none', '--name', name, ...options, TEST_IMAGE.busybox, 'sleep', '600']
  const id = execFileSync('docker', args, { encoding: 'utf8' }).trim()
  containers.push(id)
  return id
}

/** The same, never started. */
function createContainer(name: string, labels: Readonly<Record<string, string>>): string {
  const options = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])
  const args = ['create', '--network', 'none', '--name', name, ...options, TEST_IMAGE.busybox, 'sleep', '600']
  const id = execFileSync('docker', args, { encoding: 'utf8' }).trim()
  containers.push(id)
  return id
}

function isThere(id: string): boolean {
  const listed = execFileSync('docker', ['ps', '--all', '--quiet', '--no-trunc', '--filter', `id=${id}`])
  return String(listed).trim() === id
}

function labelsOf(install: string, run: string): Record<string, string> {
  const labels = { install, run, session: 'shell/main', group: 'shell', epoch: '1' }
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`sessiond.${key}`, value]))
}

describeWithEngine('containers nobody knows of', () => {
  beforeAll(ensureTestImages, 120_000)

  it('(D4, D5) are removed at the start and by a sweep when they are ours, and left alone when they are not', async () => {
    const test = await startHost({ shell: shellGroup('docker') })
    const { installId } = await test.host.health()
    await test.host.stop()
    const name = realWorld.newId('sessiond-shell.main-')
    const ours = leaveContainer(`${name}-1`, labelsOf(installId, `${name}-1`))
    const bystanders = [
      leaveContainer(`${name}-2`, labelsOf(`${installId}x`, `${name}-2`)),
      leaveContainer(`${name}-3`, labelsOf(installId.slice(0, -1), `${name}-3`)),
      leaveContainer(`${name}-4`, {}),
      leaveContainer(`${name}-5`, { 'sessiond.installation': installId }),
    ]
    await test.restart()
    await until(async () => {
      await test.host.sweepOnce({ dryRun: false })
      expect(isThere(ours)).toBe(false)
    })
    const removed = await test.untilType('container:removed')
    expect(removed.detail).toMatchObject({ name: `${name}-1`, wasRunning: true })

    // A session at work is no orphan, and a leftover that turns up later is found by the sweep.
    await test.host.send({ group: 'shell', text: 'while ! test -e go; do sleep 0.1; done; echo worked' })
    await test.untilType('message:claimed')
    const late = leaveContainer(`${name}-6`, labelsOf(installId, `${name}-6`))
    await until(async () => {
      await test.host.sweepOnce({ dryRun: false })
      expect(isThere(late)).toBe(false)
    })
    await mkdir(join(test.dataDir, 'sessions/shell/main/work/go'))
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['worked'])
    expect(bystanders.map(isThere)).toEqual([true, true, true, true])
  })
})

describeWithEngine("a container of a person's, from an image made of a run's container", () => {
  beforeAll(ensureTestImages, 120_000)

  it('(D5) is none of ours, although the image hands on the labels, and keeps its volumes', async () => {
    const test = await startHost({ shell: shellGroup('docker') })
    const { installId } = await test.host.health()
    const image = `sessiond-test:${realWorld.newId('committed-')}`
    await test.host.send({ group: 'shell', text: 'while ! test -e go; do sleep 0.1; done; echo worked' })
    await test.untilType('message:claimed')
    const filter = ['--filter', `label=sessiond.install=${installId}`]
    const docker = (...args: string[]) => String(execFileSync('docker', args)).trim()
    docker('commit', docker('ps', '--quiet', '--no-trunc', ...filter), image)
    try {
      const name = realWorld.newId('of-a-person-')
      const args = ['--detach', '--network', 'none', '--name', name, '--volume', '/precious', '--entrypoint', 'sleep']
      containers.push(docker('run', ...args, image, '600'))
      const volume = docker('inspect', '--format', '{{(index .Mounts 0).Name}}', name)
      // While its run lives, at a sweep after that, and at a start.
      await test.host.sweepOnce({ dryRun: false })
      await mkdir(join(test.dataDir, 'sessions/shell/main/work/go'))
      await test.untilType('message:completed')
      await test.host.stopSession('shell/main')
      await test.untilType('run:exited')
      await test.host.sweepOnce({ dryRun: false })
      await test.restart()
      expect(docker('ps', '--format', '{{.Names}}', ...filter)).toBe(name)
      expect(docker('volume', 'ls', '--quiet', '--filter', `name=${volume}`)).toBe(volume)
    } finally {
      for (const id of containers.splice(0)) execFileSync('docker', ['rm', '--force', '--volumes', id])
      docker('rmi', image)
    }
  })
})

describeWithEngine('many leftovers at once', () => {
  beforeAll(ensureTestImages, 120_000)

  it('(D3, D4) are all gone when the host is up, each with a line in the journal', async () => {
    const test = await startHost({ shell: shellGroup('docker') })
    const { installId } = await test.host.health()
    await test.host.stop()
    const name = realWorld.newId('sessiond-shell.main-')
    const left = Array.from({ length: 60 }, (_, index) => {
      const labels = labelsOf(installId, `${name}-${index}`)
      return index < 5 ? leaveContainer(`${name}-${index}`, labels) : createContainer(`${name}-${index}`, labels)
    })
    // One that was never told whose it is, and one that is none of ours.
    left.push(createContainer(`${name}-bare`, { 'sessiond.install': installId }))
    const bystander = createContainer(`${name}-other`, labelsOf(`${installId}0`, `${name}-0`))
    await test.restart()
    expect(left.filter(isThere)).toEqual([])
    expect(isThere(bystander)).toBe(true)
    await test.untilType('container:removed', 61)
    const gone = test.events.filter(({ type, detail }) => type === 'container:removed' && detail.outcome === 'removed')
    expect(gone).toHaveLength(61)
    expect(gone.filter(({ detail }) => detail.wasRunning)).toHaveLength(5)
    // Each is made by a command of its own, which takes long on a machine that does other things too.
  }, 120_000)

  it('(D4, D5) volumes and networks of this install go when nothing uses them, and only those', async () => {
    const test = await startHost({ shell: shellGroup('docker') })
    const { installId } = await test.host.health()
    const resources = dockerResources()
    try {
      const ours = { 'sessiond.install': installId }
      const theirs = { 'sessiond.install': `${installId}0` }
      const [volume, network] = [await resources.make('volume', ours), await resources.make('network', ours)]
      const [usedVolume, usedNetwork] = [await resources.make('volume', ours), await resources.make('network', ours)]
      await resources.use(usedVolume, usedNetwork)
      const [otherVolume, otherNetwork] = [
        await resources.make('volume', theirs),
        await resources.make('network', theirs),
      ]
      await test.host.sweepOnce({ dryRun: false })
      expect((await test.untilType('volume:removed')).detail).toMatchObject({ name: volume, outcome: 'removed' })
      expect((await test.untilType('network:removed')).detail).toMatchObject({ name: network, outcome: 'removed' })
      const stay = [
        ['volume', usedVolume],
        ['network', usedNetwork],
        ['volume', otherVolume],
        ['network', otherNetwork],
      ] as const
      for (const [kind, name] of stay) expect(await resources.exists(kind, name)).toBe(true)
    } finally {
      await resources.removeAll()
    }
  })
})

/** A process as an earlier host may have left it: alive, and registered in the data directory. */
async function leaveProcess(dataDir: string, installId: string, name: string): Promise<ChildProcess> {
  const child = spawn('/bin/sleep', ['600'], {
    detached: true,
    stdio: 'ignore',
    env: { [RUN_ENV.run]: name },
  })
  children.push(child)
  const pid = child.pid ?? 0
  const startId = await systemProcessTable().startIdOf(pid)
  const logPath = join(dataDir, `${name}.log`)
  const entry = {
    installId,
    name,
    sessionId: 'shell/main',
    epoch: 1,
    pid,
    startId,
    logPath,
    logBytes: 1_000,
    exit: null,
  }
  await mkdir(join(dataDir, 'process-runs'), { recursive: true })
  await writeFile(join(dataDir, `process-runs/${name}.json`), JSON.stringify(entry))
  return child
}

describe('processes nobody knows of', () => {
  it('(D4, D5) are ended at the start when they are ours, and left alone when they are not', async () => {
    const test = await startHost({ shell: shellGroup('process') })
    const { installId } = await test.host.health()
    await test.host.stop()
    const name = realWorld.newId('sessiond-shell.main-')
    const ours = await leaveProcess(test.dataDir, installId, `${name}-1`)
    const theirs = await leaveProcess(test.dataDir, `${installId}x`, `${name}-2`)
    const ended = once(ours, 'exit')
    await test.restart()
    await ended
    await until(async () => {
      await test.host.sweepOnce({ dryRun: false })
      expect(test.events.filter((event) => event.type === 'container:removed')).toHaveLength(1)
    })
    expect((await test.untilType('container:removed')).detail).toMatchObject({ name: `${name}-1` })
    expect([theirs.exitCode, theirs.signalCode]).toEqual([null, null])
    // Its file stays as long as it lives.
    const registered = () => readdirSync(join(test.dataDir, 'process-runs'))
    expect(registered()).toEqual([`${name}-2.json`])
    const gone = once(theirs, 'exit')
    theirs.kill('SIGKILL')
    await gone
    await test.host.sweepOnce({ dryRun: false })
    expect(registered()).toEqual([])
    await test.host.send({ group: 'shell', text: 'echo fine' })
    await test.untilType('message:completed')
  })
})

/** A message that is due, with a run the store holds for live although its runtime does not know it. */
async function believeIn(dataDir: string, text: string, handle: RunHandle): Promise<void> {
  const store = await openStore({ dataDir, world: realWorld })
  try {
    const nowMs = Date.now()
    const sessionId = 'shell/main'
    const address = { platformId: null, channelType: null, threadId: null }
    const message = { id: 'm-1', sessionId, group: 'shell', content: JSON.stringify({ text }), processAfterMs: nowMs }
    const base = { kind: 'chat', trigger: true, onWake: false, sourceSessionId: null, seriesId: null } as const
    await store.accept([{ ...base, ...message, address }], nowMs)
    const intent = { sessionId, nameOf: () => 'run-of-before', maxLiveRuns: 9, probeForMs: 0, nowMs }
    const begun = await store.beginRun({ ...intent, runtime: handle.runtime })
    if (!begun.begun) throw new Error(begun.because)
    await store.recordRunHandle(begun.run, handle)
    await store.recordRunStarted(begun.run, nowMs)
  } finally {
    await store.close()
  }
}

/** Handles that name nothing: no such container, and a process that has long ended. */
const GONE = { docker: 'f'.repeat(64), process: '99999999:1' } as const

function exerciseBelief(runtime: RuntimeName): void {
  it('(D23) ends a run whose container or process is gone at its start, and does its work anew', async () => {
    const test = await startHost({ shell: shellGroup(runtime) })
    await test.host.stop()
    await believeIn(test.dataDir, 'echo done', { runtime, id: GONE[runtime] })
    await test.restart()
    expect(await test.untilType('run:exited')).toMatchObject({ sessionId: 'shell/main', epoch: 1 })
    expect(await test.untilType('message:completed')).toMatchObject({ messageId: 'm-1', epoch: 2 })
    expect(test.replies()).toEqual(['done'])
  })
}

describe('a session that believes in a process which is gone', () => {
  exerciseBelief('process')
})

describeWithEngine('a session that believes in a container which is gone', () => {
  beforeAll(ensureTestImages, 120_000)
  exerciseBelief('docker')

  it('(D23) ends a run whose container is removed under a running host, and does its work anew', async () => {
    const test = await startHost({ shell: shellGroup('docker') })
    const { installId } = await test.host.health()
    await test.host.send({ group: 'shell', text: 'test -e once && echo done || { touch once; sleep 600; }' })
    await untilFile(test, 'shell/main', 'once')
    const listed = execFileSync('docker', [
      'ps',
      '--quiet',
      '--no-trunc',
      '--filter',
      `label=sessiond.install=${installId}`,
    ])
    execFileSync('docker', ['rm', '--force', String(listed).trim()], { stdio: 'ignore' })
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['done'])
  })
})

describeWithEngine('an image that is gone', () => {
  beforeAll(ensureTestImages, 120_000)

  it('(F7) is told as that, spends no try, and all goes on once it is back', async () => {
    const image = `sessiond-test:${realWorld.newId('pruned-')}`
    execFileSync('docker', ['tag', TEST_IMAGE.busybox, image])
    try {
      const test = await startHost({ shell: shellGroup('docker', { image }) })
      await test.host.send({ group: 'shell', text: 'echo first' })
      await test.untilType('message:completed')
      await test.host.stop()
      execFileSync('docker', ['rmi', image], { stdio: 'ignore' })
      await test.restart()
      await test.host.send({ group: 'shell', text: 'echo second' })
      const { detail } = await test.untilType('run:spawnFailed')
      expect(String(detail.error)).toContain(`Image ${image} of group shell is not there.`)
      execFileSync('docker', ['tag', TEST_IMAGE.busybox, image])
      await test.untilType('message:completed', 2)
      expect(test.replies()).toEqual(['first', 'second'])
      expect(test.events.filter(({ type }) => type === 'message:retried')).toEqual([])
    } finally {
      execFileSync('docker', ['rmi', image], { stdio: 'ignore' })
    }
  })
})
