import { execFileSync } from 'node:child_process'
import { readFile, stat, symlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeWithEngine } from '../../../testkit/src/docker-available.ts'
import type { RuntimeHarness } from '../../../testkit/src/exercise-runtime.ts'
import { ensureTestImages, TEST_IMAGE } from '../../../testkit/src/test-image.ts'
import { untilFile, untilSeen } from '../../../testkit/src/until.ts'
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.ts'
import { dockerRunUser } from '../../src/runtime/docker/run-user.ts'
import type { RunSpec } from '../../src/runtime/runtime.ts'
import { realWorld } from '../../src/world.ts'
import { cuttableProxy } from './cuttable-proxy.ts'
import { dockerHarness } from './docker-harness.ts'

const ENGINE_SOCKET = '/var/run/docker.sock'

describeWithEngine('runs in containers', () => {
  let harness: RuntimeHarness

  beforeAll(ensureTestImages, 120_000)

  beforeEach(async () => {
    harness = await dockerHarness()
  })

  afterEach(() => harness.dispose())

  async function runToEnd(fixture: string, changes?: Partial<RunSpec>) {
    const spec = await harness.specOf(fixture, changes)
    const handle = await harness.runtime.create(spec)
    await harness.runtime.start(handle)
    const { exit } = await untilSeen(harness.runtime, handle, 'exited')
    const log = await harness.runtime.readLog(handle, 10_000)
    const read = (name: string) => readFile(join(spec.outDir, name), 'utf8')
    return { spec, handle, exit, log, read }
  }

  const limits = { memoryBytes: null, processes: null, cpus: null, fileBytes: null, logBytes: 64 * 1024 }

  describe('walls', () => {
    test('lets a run write to out/, its workspace and /tmp, and nowhere else', async () => {
      const { read } = await runToEnd('writes-everywhere')
      const couldWrite = (await read('could-write')).trim().split('\n')
      expect(couldWrite).toEqual(['/sessiond/out', '/workspace', '/tmp'])
    })

    test('(C10) runs as the user the host was told, without capabilities or new privileges', async () => {
      const { read } = await runToEnd('writes-everywhere')
      const { uid, gid } = dockerRunUser(null)
      expect(uid).not.toBe(0)
      expect([await read('uid'), await read('gid')]).toEqual([`${uid}\n`, `${gid}\n`])
      const status = await read('status')
      expect(status).toMatch(/^CapEff:\s0+$/m)
      expect(status).toMatch(/^CapBnd:\s0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\s1$/m)
    })

    test('refuses a mount whose source has become a link since it was resolved', async () => {
      const spec = await harness.specOf('exits-at-once')
      const source = join(spec.workDir, '../shared')
      await symlink('/etc', source)
      const mounts = [{ source, target: '/data', writable: false }]
      await expect(harness.runtime.create({ ...spec, mounts })).rejects.toMatchObject({ code: 'MOUNT_REFUSED' })
    })
  })

  describe('limits', () => {
    test('(D15) tells a run that was killed for its memory', async () => {
      const { exit } = await runToEnd('eats-memory', { limits: { ...limits, memoryBytes: 32 * 1024 * 1024 } })
      expect(exit).toMatchObject({ code: 137, oomKilled: true })
    })

    test('bounds its processes', async () => {
      const { read } = await runToEnd('forks-many', { limits: { ...limits, processes: 16 } })
      const forked = Number(await read('forked'))
      expect(forked).toBeGreaterThan(5)
      expect(forked).toBeLessThan(16)
    })

    test('bounds a single file', async () => {
      const { spec } = await runToEnd('writes-a-big-file', { limits: { ...limits, fileBytes: 1024 * 1024 } })
      expect((await stat(join(spec.workDir, 'big'))).size).toBe(1024 * 1024)
    })
  })

  describe('Node', () => {
    test.each([
      ['an image that has none', TEST_IMAGE.busybox],
      ['an image that has one', TEST_IMAGE.node],
    ])("brings the host's Node into %s", async (_, image) => {
      const { exit, log, read } = await runToEnd('', { image, runnerCommand: null })
      expect(log).toBe('')
      expect(exit.code).toBe(0)
      const seen = JSON.parse(await read('node')) as { version: string; child: string; status: number }
      expect(seen).toMatchObject({ version: process.version, status: 0 })
      // What the agent starts is not led to the libraries of the host.
      expect(seen.child).toContain('child-ran')
      expect(seen.child).not.toContain('LD_')
    })

    test("uses the image's when told so", async () => {
      await harness.dispose()
      harness = await dockerHarness({ node: 'image' })
      const { exit } = await runToEnd('', { image: TEST_IMAGE.node, runnerCommand: null })
      expect(exit.code).toBe(0)
      const spec = await harness.specOf('', { image: TEST_IMAGE.busybox, runnerCommand: null })
      const { runtime } = harness
      const handle = await runtime.create(spec)
      // With an init in front it shows as an exit code, without one as a refusal to start.
      const outcome = await runtime.start(handle).then(
        () => untilSeen(runtime, handle, 'exited').then(({ exit: { code } }) => code),
        (error: { code: string }) => error.code,
      )
      expect([127, 'COMMAND_NOT_FOUND']).toContain(outcome)
    })
  })

  test('(D9) tells a missing image as such, naming it', async () => {
    const spec = await harness.specOf('exits-at-once', { image: 'sessiond-test:absent' })
    await expect(harness.runtime.create(spec)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      fields: { image: 'sessiond-test:absent', group: 'tests' },
    })
    expect(await harness.runtime.list()).toEqual([])
  })

  test("refuses a network that is not there, in the engine's words and without the run's environment", async () => {
    const environment = { TOKEN: 'value-of-a-secret' }
    const spec = await harness.specOf('exits-at-once', { network: 'value-of-a-secret', environment })
    const failing = harness.runtime.create(spec).then((handle) => harness.runtime.start(handle))
    await expect(failing).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
  })

  test('(F7) bounds the log of a flood while it goes on, and reads its end', async () => {
    const spec = await harness.specOf('floods-for-ever')
    const handle = await harness.runtime.create(spec)
    await harness.runtime.start(handle)
    await untilFile(join(spec.outDir, 'ready'))
    await harness.runtime.signal(handle, 'SIGKILL')
    await untilSeen(harness.runtime, handle, 'exited')
    const log = await harness.runtime.readLog(handle, 1_000_000_000)
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(spec.limits.logBytes)
    expect(Buffer.byteLength(await harness.runtime.readLog(handle, 100))).toBeLessThanOrEqual(100)
  })

  test('(F7) has the engine itself bound a log, whatever that engine keeps of others', async () => {
    const spec = await harness.specOf('exits-at-once', { limits })
    const { id } = await harness.runtime.create(spec)
    const told = execFileSync('docker', ['inspect', '--format', '{{json .HostConfig.LogConfig}}', id], {
      encoding: 'utf8',
    })
    const { Type, Config } = JSON.parse(told) as { Type: string; Config: Record<string, string> }
    expect(Type).toBe('json-file')
    expect(Number(Config['max-size']) * Number(Config['max-file'])).toBeLessThanOrEqual(limits.logBytes)
  })

  test('(D3) tells of an exit that happened while the event stream was broken', async () => {
    const spec = await harness.specOf('ignores-sigterm')
    const proxy = await cuttableProxy(join(spec.workDir, 'engine.sock'), ENGINE_SOCKET)
    const runtime = new DockerRuntime({
      world: realWorld,
      installId: spec.installId,
      socketPath: proxy.socketPath,
      callTimeoutMs: 20_000,
      node: 'image',
    })
    try {
      const exited = Promise.withResolvers<string>()
      runtime.onExit(exited.resolve)
      const handle = await runtime.create(spec)
      await runtime.start(handle)
      await untilFile(join(spec.outDir, 'ready'))
      proxy.cut()
      await harness.runtime.signal(handle, 'SIGKILL')
      await untilSeen(harness.runtime, handle, 'exited')
      expect(await runtime.inspect(handle)).toMatchObject({ state: 'unknown' })
      proxy.mend()
      expect(await exited.promise).toBe(spec.name)
    } finally {
      await runtime.close()
      await proxy.close()
    }
  })
})

describe('a docker runtime and an engine that misbehaves', () => {
  const requests: { url: string; body: string }[] = []
  let server: Server
  let runtime: DockerRuntime
  let harness: RuntimeHarness
  let answer: (url: string) => { status: number; body: unknown } | null

  beforeEach(async () => {
    requests.length = 0
    const socketPath = join(tmpdir(), `${realWorld.newId('engine-')}.sock`)
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        requests.push({ url: request.url ?? '', body })
        const given = answer(request.url ?? '')
        // Null: never.
        if (given !== null) response.writeHead(given.status).end(JSON.stringify(given.body))
      })
    })
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    harness = await dockerHarness({ socketPath, callTimeoutMs: 150 })
    runtime = harness.runtime as DockerRuntime
  })

  afterEach(async () => {
    answer = () => ({ status: 200, body: [] })
    await harness.dispose()
    server.closeAllConnections()
    server.close()
  })

  test('(G10) sends values of the environment in the body alone, never in an address', async () => {
    answer = (url) => (url.includes('create') ? { status: 201, body: { Id: 'abc' } } : { status: 200, body: {} })
    const spec = await harness.specOf('exits-at-once', { environment: { TOKEN: 'value-of-a-secret' } })
    await runtime.create(spec)
    expect(requests.some(({ body }) => body.includes('value-of-a-secret'))).toBe(true)
    expect(requests.filter(({ url }) => url.includes('secret'))).toEqual([])
    expect(requests.some(({ url }) => url.includes(`name=${spec.name}`))).toBe(true)
  })

  test('(D3) gives up on a call that is never answered', async () => {
    answer = () => null
    const handle = { runtime: 'docker', id: 'abc' }
    await expect(runtime.signal(handle, 'SIGKILL')).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
    expect(await runtime.inspect(handle)).toMatchObject({ state: 'unknown' })
    await expect(runtime.list()).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' })
  })

  test.each([
    ['inspection fails', 500, 'unknown'],
    ['there is no such container', 404, 'gone'],
  ])('(D13) when %s, a run is seen as %s → %s', async (_, status, state) => {
    answer = () => ({ status, body: { message: 'words' } })
    expect((await runtime.inspect({ runtime: 'docker', id: 'abc' })).state).toBe(state)
  })

  test.each([404, 409])('takes %i in answer to a signal as "not running"', async (status) => {
    answer = () => ({ status, body: { message: 'is not running' } })
    await runtime.signal({ runtime: 'docker', id: 'abc' }, 'SIGTERM')
  })

  test('(D5) leaves out what an engine lists of others in spite of its filter', async () => {
    const { installId } = harness
    const labels = [installId, `${installId}0`, installId.slice(0, -1), '', null].map((id) =>
      id === null ? null : { 'sessiond.install': id, 'sessiond.run': `run of ${id}` },
    )
    answer = (url) => {
      if (url.includes('/containers/json')) {
        const containers = labels.filter((each) => each !== null)
        return { status: 200, body: containers.map((Labels, Id) => ({ Id: `c${Id}`, Labels, State: 'running' })) }
      }
      const named = labels.map((Labels, index) => ({ Id: `n${index}`, Name: `name-${index}`, Labels }))
      return { status: 200, body: url.includes('/volumes') ? { Volumes: named, Warnings: null } : named }
    }
    expect((await runtime.list()).map(({ handle }) => handle.id)).toEqual(['c0'])
    expect(await runtime.listResources()).toEqual([
      { kind: 'volume', id: 'name-0', name: 'name-0', runName: `run of ${installId}`, usedBy: [] },
      { kind: 'network', id: 'n0', name: 'name-0', runName: `run of ${installId}`, usedBy: [] },
    ])
  })

  test('takes an engine that tells of no volumes at all at its word', async () => {
    answer = (url) => ({ status: 200, body: url.includes('/volumes') ? { Volumes: null, Warnings: null } : [] })
    expect(await runtime.listResources()).toEqual([])
  })

  test.each([
    [{ State: { Status: 'running', Running: true } }, 'is still running'],
    [{ State: { Status: 'exited', ExitCode: 0 } }, 'is exited, and the engine is busy with it'],
  ])('(D2) tells why a removal met a conflict: %j', async (info, why) => {
    answer = (url) => (url.includes('/json') ? { status: 200, body: info } : { status: 409, body: { message: 'no' } })
    await expect(runtime.remove({ runtime: 'docker', id: 'abc' })).rejects.toMatchObject({
      code: 'RUNTIME_REFUSED',
      message: expect.stringContaining(why),
    })
  })

  test('takes a removal that somebody else has just finished for done', async () => {
    answer = (url) => ({ status: url.includes('/json') ? 404 : 409, body: { message: 'removal in progress' } })
    await runtime.remove({ runtime: 'docker', id: 'abc' })
  })

  test('(D2) does not swallow a refused signal', async () => {
    answer = () => ({ status: 500, body: { message: 'permission denied' } })
    await expect(runtime.signal({ runtime: 'docker', id: 'abc' }, 'SIGKILL')).rejects.toMatchObject({
      code: 'RUNTIME_REFUSED',
      message: expect.stringContaining('permission denied'),
    })
  })
})
