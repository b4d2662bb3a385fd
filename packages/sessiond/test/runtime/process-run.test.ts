import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RuntimeHarness } from '../../../testkit/src/exercise-runtime.ts'
import { livingProcesses } from '../../../testkit/src/living-processes.ts'
import { spawnRuntimeHost } from '../../../testkit/src/spawn-runtime-host.ts'
import { until, untilFile, untilSeen } from '../../../testkit/src/until.ts'
import { parseIdentity } from '../../src/runtime/process/process-identity.ts'
import { systemProcessTable } from '../../src/runtime/process/process-table.ts'
import type { RunSpec } from '../../src/runtime/runtime.ts'
import { processHarness } from './process-harness.ts'

const isLinux = process.platform === 'linux'
const limits = { memoryBytes: null, processes: null, cpus: null, fileBytes: null, logBytes: 64 * 1024 }

let harness: RuntimeHarness & { readonly root: string }

beforeEach(async () => {
  harness = await processHarness()
})

afterEach(() => harness.dispose())

async function start(fixture: string, changes?: Partial<RunSpec>) {
  const spec = await harness.specOf(fixture, changes)
  const handle = await harness.runtime.create(spec)
  await harness.runtime.start(handle)
  return { spec, handle }
}

describe('identity', () => {
  let bystander: ChildProcess

  beforeEach(() => {
    bystander = spawn('/bin/sleep', ['3600'], { detached: true, stdio: 'ignore' })
  })

  afterEach(() => {
    bystander.kill('SIGKILL')
  })

  test('(A3) neither signals nor judges a process that has got the pid of a run of old', async () => {
    const pid = bystander.pid ?? 0
    const entry = {
      installId: harness.installId,
      name: 'run-of-old',
      sessionId: 'tests/main',
      epoch: 1,
      pid,
      startId: '1-00000000',
      logPath: join(harness.root, 'old.log'),
      logBytes: 1000,
      exit: null,
    }
    await mkdir(join(harness.root, 'process-runs'), { recursive: true })
    await writeFile(join(harness.root, 'process-runs/run-of-old.json'), JSON.stringify(entry))
    const handle = { runtime: 'process', id: `${pid}:1-00000000` }
    expect(await harness.runtime.list()).toMatchObject([{ handle, isRunning: false }])
    await harness.runtime.signal(handle, 'SIGTERM')
    await harness.runtime.signal(handle, 'SIGKILL')
    expect(await harness.runtime.inspect(handle)).toMatchObject({ state: 'exited', exit: { code: null } })
    await harness.runtime.remove(handle)
    expect(await systemProcessTable().startIdOf(pid)).not.toBeNull()
  })

  test.each(['', '0:1', '1:1', '-5:1', '12', 'abc:1', '12:', '99999999999:1'])(
    'sends no signal for the handle %j',
    async (id) => {
      expect(parseIdentity(id)).toBeUndefined()
      await harness.runtime.signal({ runtime: 'process', id }, 'SIGKILL')
      expect(await harness.runtime.inspect({ runtime: 'process', id })).toEqual({ state: 'gone' })
    },
  )

  test('tells one start of a process from another, and a dead one as null', async () => {
    const table = systemProcessTable()
    const pid = bystander.pid ?? 0
    const startId = await table.startIdOf(pid)
    expect(startId).toBe(await table.startIdOf(pid))
    expect(startId).not.toBe(await table.startIdOf(process.pid))
    bystander.kill('SIGKILL')
    await until(async () => expect(await table.startIdOf(pid)).toBeNull())
  })
})

describe('what is left behind', () => {
  test.skipIf(!isLinux)('ends children whose leader died while no host was there', async () => {
    const spec = await harness.specOf('leaves-a-child-on-sigterm')
    const host = await spawnRuntimeHost({ ...harness.host, spec, isStarted: true })
    await untilFile(join(spec.outDir, 'ready'))
    await host.kill()
    const leader = parseIdentity(host.handle.id)?.pid ?? 0
    process.kill(leader, 'SIGTERM')
    await until(async () => expect(await systemProcessTable().startIdOf(leader)).toBeNull())
    expect(await livingProcesses(spec.name)).not.toEqual([])
    expect(await harness.runtime.list()).toMatchObject([{ handle: host.handle, isRunning: true }])
    const seen = await untilSeen(harness.runtime, host.handle, 'exited')
    expect(seen.exit).toEqual({ code: null, signal: null, oomKilled: false })
    expect(await livingProcesses(spec.name)).toEqual([])
  })

  test('remembers an exit code through a restart of the host', async () => {
    const { handle } = await start('exits-at-once', { environment: { EXIT_CODE: '9' } })
    await untilSeen(harness.runtime, handle, 'exited')
    expect(await harness.reopen().inspect(handle)).toMatchObject({ state: 'exited', exit: { code: 9 } })
  })

  test('lets go of a launcher that was never started when it is closed', async () => {
    const spec = await harness.specOf('marks-its-start')
    await harness.runtime.create(spec)
    await harness.runtime.close()
    await until(async () => expect(await livingProcesses(spec.name)).toEqual([]))
    await expect(stat(join(spec.outDir, 'ready'))).rejects.toThrow('ENOENT')
  })

  test('passes over a registration torn by a power cut', async () => {
    await mkdir(join(harness.root, 'process-runs'), { recursive: true })
    await writeFile(join(harness.root, 'process-runs/torn.json'), '{"name": "to')
    await writeFile(join(harness.root, 'process-runs/empty.json'), '')
    expect(await harness.runtime.list()).toEqual([])
  })

  test('is unreachable, not empty, when its registrations cannot be read', async () => {
    await writeFile(join(harness.root, 'process-runs'), 'a file where a folder should be')
    await expect(harness.runtime.list()).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
    const handle = { runtime: 'process', id: `${process.pid}:1-00000000` }
    expect(await harness.runtime.inspect(handle)).toMatchObject({ state: 'unknown' })
    await rm(join(harness.root, 'process-runs'))
    expect(await harness.runtime.list()).toEqual([])
  })
})

describe('limits', () => {
  test('(F7) cuts the log of a run while it floods it', async () => {
    const { spec, handle } = await start('floods-for-ever')
    await untilFile(join(spec.outDir, 'ready'))
    // Its words say so too, but what is written while it is cut may stand before them.
    let mostBytes = 0
    await until(async () => {
      const { size } = await stat(spec.logPath)
      mostBytes = Math.max(mostBytes, size)
      expect(size).toBeLessThan(mostBytes)
    })
    await harness.runtime.signal(handle, 'SIGKILL')
    await untilSeen(harness.runtime, handle, 'exited')
    expect((await stat(spec.logPath)).size).toBeLessThanOrEqual(limits.logBytes)
  })

  test('bounds a single file', async () => {
    const { spec, handle } = await start('writes-a-big-file', { limits: { ...limits, fileBytes: 1024 * 1024 } })
    await untilSeen(harness.runtime, handle, 'exited')
    expect((await stat(join(spec.workDir, 'big'))).size).toBe(1024 * 1024)
  })

  test.skipIf(!isLinux)('bounds memory, and still lets the bundled runner start', async () => {
    const small = { limits: { ...limits, memoryBytes: 64 * 1024 * 1024 } }
    const { handle } = await start('eats-memory', small)
    const { exit } = await untilSeen(harness.runtime, handle, 'exited')
    expect(exit.code).not.toBe(0)
    const runner = await start('', { ...small, runnerCommand: null })
    const ended = await untilSeen(harness.runtime, runner.handle, 'exited')
    expect(ended.exit.code).toBe(0)
    expect(await readFile(join(runner.spec.outDir, 'node'), 'utf8')).toContain(process.version)
  })
})

describe('refusals', () => {
  test.each([
    ['a name no shell hands on', { 'A.B': 'secret-value' }],
    ['a NUL in a value', { TOKEN: 'secret-value\0' }],
  ])('(G10) refuses %s, naming the variable and not its value', async (_, environment) => {
    const spec = await harness.specOf('exits-at-once', { environment })
    const error = await harness.runtime.create(spec).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'RUNTIME_REFUSED' })
    expect(String(error)).toContain(Object.keys(environment)[0])
    expect(String(error)).not.toContain('secret-value')
  })

  test.each(['', '.', '../up', 'a/b', 'a b', `a${'x'.repeat(200)}`])('(G9) refuses the run name %j', async (name) => {
    const spec = await harness.specOf('exits-at-once')
    await expect(harness.runtime.create({ ...spec, name })).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
  })

  test('refuses a workspace that is not there', async () => {
    const spec = await harness.specOf('exits-at-once')
    await rm(spec.workDir, { recursive: true })
    await expect(harness.runtime.create(spec)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
  })

  test('passes arguments as they are, never through a shell', async () => {
    const text = '$(id) `id` "quoted" \'single\' ; exit 9 \n *'
    const { handle } = await start('', { runnerCommand: ['printf', '%s', text] })
    await untilSeen(harness.runtime, handle, 'exited')
    expect(await harness.runtime.readLog(handle, 1000)).toBe(text)
  })
})

/** The first bytes of a file that may be huge. */
