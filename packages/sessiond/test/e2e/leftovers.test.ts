import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_ENV } from '@sessiond/protocol'
import { describeWithEngine, ensureTestImages, TEST_IMAGE } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import { systemProcessTable } from '../../src/runtime/process/process-table.ts'
import { realWorld } from '../../src/world.ts'
import { cleanUp, shellGroup, startHost } from './harness.ts'

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
    await test.host.send({ group: 'shell', text: 'echo fine' })
    await test.untilType('message:completed')
  })
})
