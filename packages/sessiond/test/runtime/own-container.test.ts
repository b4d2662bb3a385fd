import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithEngine, ensureTestImages, TEST_IMAGE } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.ts'
import { type ContainerClues, isOwnContainer, ownContainerOf } from '../../src/runtime/docker/own-container.ts'
import { LeftoverSweep } from '../../src/sweep/leftover-sweep.ts'
import { realWorld } from '../../src/world.ts'

const SOURCES = dirname(fileURLToPath(new URL('../../src/runtime/docker/own-container.ts', import.meta.url)))

/** What a program sees of itself, told by the adapter's own code. */
const PROGRAM = `
  import { readFileSync } from 'node:fs'
  import { hostname } from 'node:os'
  import { findOwnContainer } from '/sources/own-container.ts'
  const [cgroup, mountinfo] = ['cgroup', 'mountinfo'].map((name) => readFileSync('/proc/self/' + name, 'utf8'))
  console.log(JSON.stringify({ clues: { cgroup, mountinfo, hostName: hostname() }, own: await findOwnContainer() }))
`

const containers: string[] = []
let installId: string

beforeEach(() => {
  installId = realWorld.newId('install-')
})

afterEach(() => {
  for (const id of containers.splice(0)) docker('rm', '--force', id)
})

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

function create(options: readonly string[], image: string, ...command: string[]): string {
  const id = docker(
    'create',
    ...(options.includes('--network') ? [] : ['--network', 'none']),
    ...options,
    image,
    ...command,
  )
  containers.push(id)
  return id
}

function lookInside(...options: string[]): { id: string; clues: ContainerClues; own: string[] } {
  const args = ['--volume', `${SOURCES}:/sources:ro`, ...options]
  const program = ['node', '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', PROGRAM]
  const id = create(args, TEST_IMAGE.node, ...program)
  const told = docker('start', '--attach', id)
  return { id, ...(JSON.parse(told) as { clues: ContainerClues; own: string[] }) }
}

function leaveRunning(): string {
  const run = realWorld.newId('run-')
  const labels = { install: installId, run, session: 'shell/main', group: 'shell', epoch: '1' }
  const options = Object.entries(labels).flatMap(([key, value]) => ['--label', `sessiond.${key}=${value}`])
  const id = create(['--name', run, ...options], TEST_IMAGE.busybox, 'sleep', '600')
  docker('start', id)
  return id
}

function isRunning(id: string): boolean {
  return docker('ps', '--quiet', '--no-trunc', '--filter', `id=${id}`) === id
}

describeWithEngine('a host that runs in a container itself', () => {
  beforeAll(ensureTestImages, 120_000)

  it.each([
    ['as engines make them', []],
    ['with a host name of its own', ['--hostname', 'agents.example']],
    ['with the network of the machine', ['--network', 'host']],
    ['that sees the control groups of the machine', ['--cgroupns', 'host']],
  ])('(D5) finds its own container %s, and no other', (_, options) => {
    const { id, own } = lookInside(...options)
    const other = create([], TEST_IMAGE.busybox, 'true')
    expect(isOwnContainer(own, id)).toBe(true)
    expect(isOwnContainer(own, other)).toBe(false)
  })

  it('(D5) would find it by its mounts or its host name alone', () => {
    const { id, clues } = lookInside()
    const nothing: ContainerClues = { cgroup: '', mountinfo: '', hostName: '' }
    expect(ownContainerOf({ ...nothing, mountinfo: clues.mountinfo })).toEqual([id])
    expect(ownContainerOf({ ...nothing, hostName: clues.hostName })).toEqual([id.slice(0, 12)])
  })

  it('(D5) never ends, removes or counts that one, whatever labels it bears', async () => {
    const [own, left] = [leaveRunning(), leaveRunning()]
    const runtime = new DockerRuntime({
      world: realWorld,
      installId,
      socketPath: null,
      callTimeoutMs: 20_000,
      node: 'image',
      findOwnContainer: async () => [own.slice(0, 12)],
    })
    try {
      expect(await runtime.list()).toMatchObject([{ handle: { id: left } }])
      const sweep = new LeftoverSweep({
        world: realWorld,
        config: { groups: new Map() },
        store: { listLiveRuns: async () => [], append: async () => {} },
      })
      expect(await sweep.clear(runtime)).toBe(1)
      const handle = { runtime: 'docker', id: own }
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await expect(runtime.signal(handle, signal)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
      }
      expect(isRunning(own)).toBe(true)
      docker('kill', own)
      await expect(runtime.remove(handle)).rejects.toMatchObject({ code: 'RUNTIME_REFUSED' })
      expect(docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `id=${own}`)).toBe(own)
      expect(docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `id=${left}`)).toBe('')
    } finally {
      await runtime.close()
    }
  })
})
