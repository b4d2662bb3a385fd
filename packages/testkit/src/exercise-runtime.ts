import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_ENV } from '@sessiond/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FoundResource, RunHandle, RunSpec, Runtime } from '../../sessiond/src/ports.ts'
import { exerciseActivity } from './exercise-activity.ts'
import { livingProcesses } from './living-processes.ts'
import { type RuntimeHost, type RuntimeHostJob, spawnRuntimeHost } from './spawn-runtime-host.ts'
import { until, untilFile, untilSeen } from './until.ts'

/** What the suite needs of an adapter; made anew for every test. */
export interface RuntimeHarness {
  /** The install `runtime` belongs to. */
  readonly installId: string
  readonly runtime: Runtime
  /** Another runtime on the same remains: of the same install as after a restart, or of another one. */
  reopen(installId?: string): Runtime
  /** A runtime whose engine cannot be asked, and a handle of it; null when there is no such thing. */
  readonly unreachable: { readonly runtime: Runtime; readonly handle: RunHandle } | null
  /** Specification of a run of a fixture program. */
  specOf(fixture: string, changes?: Partial<RunSpec>): Promise<RunSpec>
  /** How the same runtime is built in a host process of its own. */
  readonly host: Pick<RuntimeHostJob, 'program' | 'options'>
  /** Variables its runs have besides the group's and the protocol's. */
  readonly baseVariables: readonly string[]
  /** How volumes and networks are made as someone else makes them; null: the runtime has none. */
  readonly resources: ResourceMaker | null
  /** Ends every run of its installs, closes what it opened, deletes its files. */
  dispose(): Promise<void>
}

/** Makes volumes and networks on the side of a runtime, and removes them at the end of the test. */
export interface ResourceMaker {
  make(kind: FoundResource['kind'], labels: Readonly<Record<string, string>>): Promise<string>
  /** Something of somebody else that uses both; not started yet. */
  use(volume: string, network: string): Promise<ResourceUser>
  exists(kind: FoundResource['kind'], name: string): Promise<boolean>
}

/** A container of nobody's, say. */
export interface ResourceUser {
  readonly id: string
  start(): Promise<void>
  end(): Promise<void>
  remove(): Promise<void>
}

/** The conformance suite of the runtime port: an adapter that passes can serve a host. */
export function exerciseRuntime(name: string, makeHarness: () => Promise<RuntimeHarness>): void {
  describe(`${name} as a Runtime`, () => {
    let harness: RuntimeHarness
    let runtime: Runtime

    beforeEach(async () => {
      harness = await makeHarness()
      runtime = harness.runtime
    })

    afterEach(async () => {
      await harness.dispose()
    })

    async function run(fixture: string, changes?: Partial<RunSpec>): Promise<{ spec: RunSpec; handle: RunHandle }> {
      const spec = await harness.specOf(fixture, changes)
      const handle = await runtime.create(spec)
      await runtime.start(handle)
      return { spec, handle }
    }

    function exitOf(runName: string): Promise<void> {
      return new Promise((resolve) => {
        const stop = runtime.onExit((ended) => {
          if (ended !== runName) return
          stop()
          resolve()
        })
      })
    }

    describe('life of a run', () => {
      test('creates a run without letting any of it execute', async () => {
        const spec = await harness.specOf('marks-its-start')
        const handle = await runtime.create(spec)
        expect(await runtime.inspect(handle)).toEqual({ state: 'created' })
        expect(handle.runtime).toBe(runtime.name)
        // Only once it is let go does the same run leave its mark.
        await expect(stat(join(spec.outDir, 'ready'))).rejects.toThrow('ENOENT')
        await runtime.start(handle)
        await untilFile(join(spec.outDir, 'ready'))
        expect(await runtime.inspect(handle)).toEqual({ state: 'running' })
      })

      test('starts a run once, however often it is told', async () => {
        const { spec, handle } = await run('honours-sigterm')
        await untilFile(join(spec.outDir, 'ready'))
        await runtime.start(handle)
        expect(await runtime.inspect(handle)).toEqual({ state: 'running' })
      })

      test('does not run an exited run once more when it is told to start again', async () => {
        const { spec, handle } = await run('counts-its-starts')
        await untilSeen(runtime, handle, 'exited')
        await expect(runtime.start(handle)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
        await expect(harness.reopen().start(handle)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
        expect(await readFile(join(spec.outDir, 'starts'), 'utf8')).toBe('started\n')
      })

      test.each([0, 3, 78])('tells exit code %i', async (code) => {
        const { handle } = await run('exits-at-once', { environment: { EXIT_CODE: String(code) } })
        const seen = await untilSeen(runtime, handle, 'exited')
        expect(seen.exit).toEqual({ code, signal: null, oomKilled: false })
      })

      test('removes what an exited run left, and says gone from then on', async () => {
        const { handle } = await run('exits-at-once')
        await untilSeen(runtime, handle, 'exited')
        await runtime.remove(handle)
        expect(await runtime.inspect(handle)).toEqual({ state: 'gone' })
        await runtime.remove(handle)
        await runtime.signal(handle, 'SIGKILL')
        expect(await runtime.list()).toEqual([])
      })

      test('removes a run that was created and never started', async () => {
        const spec = await harness.specOf('marks-its-start')
        const handle = await runtime.create(spec)
        await runtime.remove(handle)
        expect(await runtime.inspect(handle)).toEqual({ state: 'gone' })
        expect(await livingProcesses(spec.name)).toEqual([])
        await expect(runtime.start(handle)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
      })

      test('refuses to remove a running run', async () => {
        const { spec, handle } = await run('honours-sigterm')
        await untilFile(join(spec.outDir, 'ready'))
        await expect(runtime.remove(handle)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
        expect(await runtime.inspect(handle)).toEqual({ state: 'running' })
      })

      test('calls a handle gone that names nothing', async () => {
        const { handle } = await run('exits-at-once')
        await untilSeen(runtime, handle, 'exited')
        await runtime.remove(handle)
        const reopened = harness.reopen()
        expect(await reopened.inspect(handle)).toEqual({ state: 'gone' })
      })
    })

    describe('stopping', () => {
      test('asks with SIGTERM and tells how the run ended', async () => {
        const { spec, handle } = await run('honours-sigterm')
        await untilFile(join(spec.outDir, 'ready'))
        await runtime.signal(handle, 'SIGTERM')
        const seen = await untilSeen(runtime, handle, 'exited')
        expect(seen.exit.code).toBe(7)
      })

      test('(C9) lets a run ignore SIGTERM, and ends it with SIGKILL', async () => {
        const { spec, handle } = await run('ignores-sigterm')
        await untilFile(join(spec.outDir, 'ready'))
        await runtime.signal(handle, 'SIGTERM')
        await untilFile(join(spec.outDir, 'asked'))
        expect(await runtime.inspect(handle)).toEqual({ state: 'running' })
        await runtime.signal(handle, 'SIGKILL')
        const seen = await untilSeen(runtime, handle, 'exited')
        expect(seen.exit.signal).toBe('SIGKILL')
        expect(seen.exit.oomKilled).toBe(false)
        expect(await livingProcesses(spec.name)).toEqual([])
      })

      test('(D1) reports no exit while a child that outlived its run is alive', async () => {
        const { spec, handle } = await run('orphans-a-child')
        await untilSeen(runtime, handle, 'exited')
        expect(await livingProcesses(spec.name)).toEqual([])
      })

      test.skipIf(process.platform === 'darwin')('finds a child that left its group, too', async () => {
        const { spec, handle } = await run('escapes-its-group')
        await untilSeen(runtime, handle, 'exited')
        expect(await livingProcesses(spec.name)).toEqual([])
      })
    })

    describe('exit events', () => {
      test('tells of an exit, after it', async () => {
        const spec = await harness.specOf('exits-at-once')
        const handle = await runtime.create(spec)
        const exited = exitOf(spec.name)
        await runtime.start(handle)
        await exited
        expect((await runtime.inspect(handle)).state).toBe('exited')
      })

      test('tells of the exit of a run it found again', async () => {
        const { spec, handle } = await run('honours-sigterm')
        await untilFile(join(spec.outDir, 'ready'))
        await runtime.close()
        runtime = harness.reopen()
        const exited = exitOf(spec.name)
        expect(await runtime.list()).toMatchObject([{ handle, isRunning: true }])
        await runtime.signal(handle, 'SIGTERM')
        await exited
        expect((await runtime.inspect(handle)).state).toBe('exited')
      })

      test('says nothing to a listener that has left', async () => {
        const spec = await harness.specOf('exits-at-once')
        const handle = await runtime.create(spec)
        const heard: string[] = []
        runtime.onExit((runName) => heard.push(runName))()
        const exited = exitOf(spec.name)
        await runtime.start(handle)
        await exited
        expect(heard).toEqual([])
      })
    })

    describe('names and labels', () => {
      test('(D5) lists the runs of its own install, and no others', async () => {
        const { spec, handle } = await run('honours-sigterm', { sessionId: 'tests/two', epoch: 4 })
        const other = harness.reopen('another-install')
        expect(await other.list()).toEqual([])
        // A prefix of the label is another label.
        expect(await harness.reopen(spec.installId.slice(0, -1)).list()).toEqual([])
        expect(await runtime.list()).toEqual([
          { handle, name: spec.name, sessionId: 'tests/two', epoch: 4, isRunning: true },
        ])
      })

      test('lists an exited run until it is removed', async () => {
        const { spec, handle } = await run('exits-at-once')
        await untilSeen(runtime, handle, 'exited')
        expect(await runtime.list()).toMatchObject([{ handle, name: spec.name, isRunning: false }])
      })

      test('refuses a name that is taken, until its run is removed', async () => {
        const { spec, handle } = await run('exits-at-once')
        await untilSeen(runtime, handle, 'exited')
        await expect(runtime.create(spec)).rejects.toMatchObject({ code: 'RUN_NAME_TAKEN', retryable: true })
        await runtime.remove(handle)
        await expect(runtime.create(spec)).resolves.toMatchObject({ runtime: runtime.name })
      })

      test('gives a name to one of two that ask at once, and leaves nothing of the other', async () => {
        const spec = await harness.specOf('marks-its-start')
        const outcomes = await Promise.allSettled([runtime.create(spec), runtime.create(spec)])
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
        expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
          reason: { code: 'RUN_NAME_TAKEN' },
        })
        const [found] = await runtime.list()
        if (found === undefined) throw new Error('nothing was created')
        await runtime.remove(found.handle)
        await until(async () => expect(await livingProcesses(spec.name)).toEqual([]))
      })

      test('says COMMAND_NOT_FOUND for a runner that is not there', async () => {
        const spec = await harness.specOf('exits-at-once', { runnerCommand: ['/absent/program'] })
        const creating = runtime.create(spec).then((handle) => runtime.start(handle))
        await expect(creating).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
      })
    })

    describe('volumes and networks', () => {
      test('(D5) lists those of its own install, and no others', async () => {
        const { resources, installId } = harness
        if (resources === null) return expect(await runtime.listResources()).toEqual([])
        const others = [`${installId}x`, installId.slice(0, -1), installId.toUpperCase(), '']
        for (const kind of ['volume', 'network'] as const) {
          const ours = await resources.make(kind, { 'sessiond.install': installId, 'sessiond.run': 'run-1' })
          for (const other of others) await resources.make(kind, { 'sessiond.install': other })
          await resources.make(kind, { 'sessiond.installation': installId })
          const found = (await runtime.listResources()).filter((resource) => resource.kind === kind)
          expect(found).toMatchObject([{ kind, name: ours, runName: 'run-1' }])
        }
      })

      test('removes one that nothing uses, once and for all', async () => {
        const { resources, installId } = harness
        if (resources === null) return
        for (const kind of ['volume', 'network'] as const) {
          const name = await resources.make(kind, { 'sessiond.install': installId })
          const [found] = await runtime.listResources()
          if (found === undefined) throw new Error(`no ${kind} is listed`)
          expect(found.runName).toBeNull()
          expect(await runtime.removeResource(found)).toBe('removed')
          expect(await resources.exists(kind, name)).toBe(false)
          expect(await runtime.removeResource(found)).toBe('removed')
        }
      })

      test('leaves what something uses, also before that starts and after it has ended', async () => {
        const { resources, installId } = harness
        if (resources === null) return
        const labels = { 'sessiond.install': installId }
        const [volume, network] = [await resources.make('volume', labels), await resources.make('network', labels)]
        const user = await resources.use(volume, network)
        let users = [[user.id], [user.id]]
        const outcomes = async () => {
          const found = await runtime.listResources()
          expect(found.map(({ usedBy }) => usedBy)).toEqual(users)
          return Promise.all(found.map((resource) => runtime.removeResource(resource)))
        }
        expect(await outcomes()).toEqual(['in-use', 'in-use'])
        await user.start()
        expect(await outcomes()).toEqual(['in-use', 'in-use'])
        await user.end()
        expect(await outcomes()).toEqual(['in-use', 'in-use'])
        await user.remove()
        users = [[], []]
        expect(await outcomes()).toEqual(['removed', 'removed'])
      })
    })

    describe('what a run gets', () => {
      test('(G10) has an environment of its own, with nothing of the host in it', async () => {
        process.env.HOST_SECRET_OF_TESTS = 'must not be seen'
        const { spec, handle } = await run('writes-env', {
          environment: { GROUP_VARIABLE: 'with spaces = and "quotes"\nand lines' },
          agentJson: '{"kind":"command"}',
        }).finally(() => delete process.env.HOST_SECRET_OF_TESTS)
        await untilSeen(runtime, handle, 'exited')
        const text = await readFile(join(spec.outDir, 'env'), 'utf8')
        const names = [...text.matchAll(/^([A-Za-z_]\w*)=/gm)].map(([, variable = '']) => variable)
        // Shells add some of their own.
        const ofShell = ['PWD', 'OLDPWD', 'SHLVL', '_']
        const allowed = [...harness.baseVariables, ...Object.values(RUN_ENV), 'GROUP_VARIABLE', ...ofShell]
        expect(names.filter((variable) => !allowed.includes(variable))).toEqual([])
        expect(names).toEqual(expect.arrayContaining([...Object.values(RUN_ENV), 'GROUP_VARIABLE', 'PATH', 'HOME']))
        expect(text).toContain('GROUP_VARIABLE=with spaces = and "quotes"\nand lines\n')
        expect(text).toContain(`${RUN_ENV.run}=${spec.name}\n`)
        expect(text).toContain(`${RUN_ENV.epoch}=1\n`)
      })

      test('starts in its workspace', async () => {
        const { spec, handle } = await run('writes-env')
        await untilSeen(runtime, handle, 'exited')
        const [cwd, env] = await Promise.all(['pwd', 'env'].map((file) => readFile(join(spec.outDir, file), 'utf8')))
        expect(env).toContain(`${RUN_ENV.work}=${cwd}`)
      })

      test('(H3) keeps what the run said on both streams', async () => {
        const { handle } = await run('exits-at-once')
        await untilSeen(runtime, handle, 'exited')
        const log = await runtime.readLog(handle, 10_000)
        expect(log).toContain('said on stdout\n')
        expect(log).toContain('said on stderr\n')
      })

      test('(F2, F7) keeps the end of a flood, within the bound: never silent', async () => {
        const { spec, handle } = await run('floods-stdout')
        await untilSeen(runtime, handle, 'exited')
        const log = await runtime.readLog(handle, 4096)
        expect(Buffer.byteLength(log)).toBeLessThanOrEqual(4096)
        expect(log).toMatch(/END-OF-FLOOD\n$/)
        const all = await runtime.readLog(handle, 100 * 1024 * 1024)
        expect(Buffer.byteLength(all)).toBeLessThanOrEqual(spec.limits.logBytes)
      })

      test('(H3) lists the processes of a run, and of one that is gone none', async () => {
        const { handle } = await run('ignores-sigterm')
        const listed = await runtime.listProcesses(handle)
        // Null where the system does not show them.
        if (process.platform === 'linux') expect(listed?.length).toBeGreaterThan(0)
        expect((listed ?? []).every(({ pid, name, state }) => pid > 1 && name !== '' && /^[A-Z]$/.test(state))).toBe(
          true,
        )
        await runtime.signal(handle, 'SIGKILL')
        await untilSeen(runtime, handle, 'exited')
        expect((await runtime.listProcesses(handle)) ?? []).toEqual([])
      })

      test('reads "" where nothing was said', async () => {
        const spec = await harness.specOf('marks-its-start')
        expect(await runtime.readLog(await runtime.create(spec), 1000)).toBe('')
      })
    })

    describe('when things die', () => {
      let host: RuntimeHost | undefined

      afterEach(async () => {
        await host?.kill()
        host = undefined
      })

      test('(D4) lets runs survive a kill -9 of the host, and finds them again', async () => {
        const spec = await harness.specOf('honours-sigterm')
        host = await spawnRuntimeHost({ ...harness.host, spec, isStarted: true })
        await untilFile(join(spec.outDir, 'ready'))
        await host.kill()
        expect(await runtime.list()).toMatchObject([{ handle: host.handle, name: spec.name, isRunning: true }])
        expect(await runtime.inspect(host.handle)).toEqual({ state: 'running' })
        await runtime.signal(host.handle, 'SIGTERM')
        await untilSeen(runtime, host.handle, 'exited')
        expect(await runtime.readLog(host.handle, 1000)).toContain('asked')
        await runtime.remove(host.handle)
        expect(await runtime.list()).toEqual([])
      })

      test('(D4) leaves nothing running of a run whose host died before it was started', async () => {
        const spec = await harness.specOf('marks-its-start')
        host = await spawnRuntimeHost({ ...harness.host, spec, isStarted: false })
        const { handle } = host
        await host.kill()
        await until(async () => expect(await livingProcesses(spec.name)).toEqual([]))
        await until(async () => expect((await runtime.inspect(handle)).state).not.toBe('running'))
        await runtime.remove(handle)
        expect(await runtime.inspect(handle)).toEqual({ state: 'gone' })
        await expect(stat(join(spec.outDir, 'ready'))).rejects.toThrow('ENOENT')
      })

      test('(D13) calls a run unknown, neither dead nor alive, when its engine cannot be asked', async (context) => {
        if (harness.unreachable === null) return context.skip('this runtime needs no engine')
        const { runtime: unreachable, handle } = harness.unreachable
        expect(await unreachable.inspect(handle)).toMatchObject({ state: 'unknown' })
        const refused = { code: 'RUNTIME_UNREACHABLE', retryable: true }
        await expect(unreachable.list()).rejects.toMatchObject(refused)
        await expect(unreachable.listResources()).rejects.toMatchObject(refused)
        await expect(unreachable.create(await harness.specOf('exits-at-once'))).rejects.toMatchObject(refused)
        await expect(unreachable.start(handle)).rejects.toMatchObject(refused)
        await expect(unreachable.signal(handle, 'SIGKILL')).rejects.toMatchObject(refused)
        await expect(unreachable.remove(handle)).rejects.toMatchObject(refused)
        const checks = await unreachable.check([])
        expect(checks.some(({ ok, cure }) => !ok && cure !== undefined)).toBe(true)
      })
    })

    exerciseActivity({
      runtime: () => runtime,
      reopen: () => harness.reopen(),
      run: (fixture) => run(fixture),
      create: async (fixture) => runtime.create(await harness.specOf(fixture)),
    })

    test('tells the doctor what it found, and does not throw', async () => {
      const { image } = await harness.specOf('exits-at-once')
      const checks = await runtime.check([{ group: 'tests', image, command: ['sh'] }])
      expect(checks.length).toBeGreaterThan(1)
      expect(checks.filter(({ ok }) => !ok)).toEqual([])
      const [wrong] = (
        await runtime.check([{ group: 'wrong', image: 'sessiond-test:absent', command: ['absent-program'] }])
      ).filter(({ ok }) => !ok)
      expect(wrong?.name).toContain('wrong')
      expect(wrong?.cure).toBeTypeOf('string')
    })
  })
}
