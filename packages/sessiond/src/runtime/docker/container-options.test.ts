import { describe, expect, test } from 'vitest'
import type { RunSpec } from '../runtime.ts'
import { containerOptions } from './container-options.ts'

const spec: RunSpec = {
  installId: 'install-1',
  sessionId: 'group/session',
  group: 'group',
  epoch: 7,
  name: 'sessiond-group.session-x-7',
  inDir: '/data/in',
  outDir: '/data/out',
  workDir: '/data/with:colon',
  logPath: '/data/7.log',
  agentJson: '{}',
  runnerCommand: null,
  environment: { NAME: 'value', HOME: '/elsewhere', SESSIOND_EPOCH: '99' },
  mounts: [{ source: '/shared', target: '/data', writable: false }],
  limits: { memoryBytes: 1000, processes: 10, cpus: 1.5, fileBytes: 500, logBytes: 100_000 },
  image: 'image:tag',
  network: 'none',
  user: null,
}
const program = { command: ['/bin/program', 'one', 'two'], mounts: [], mcp: ['node', '/sessiond/mcp.mjs'] }
const user = { uid: 12, gid: 34 }

function options(changes: Partial<RunSpec> = {}, hasInit = true) {
  return containerOptions({ spec: { ...spec, ...changes }, program, user, hasInit })
}

describe('containerOptions', () => {
  test('labels the container for its install, session and epoch', () => {
    expect(options().Labels).toMatchObject({
      'sessiond.install': 'install-1',
      'sessiond.session': 'group/session',
      'sessiond.epoch': '7',
      'sessiond.run': spec.name,
    })
  })

  test("puts the program in the place of the image's own, or leaves that alone", () => {
    expect(options()).toMatchObject({ Entrypoint: ['/bin/program'], Cmd: ['one', 'two'] })
    const own = containerOptions({ spec, program: { ...program, command: [] }, user, hasInit: true })
    expect(own).not.toHaveProperty('Entrypoint')
    expect(own).not.toHaveProperty('Cmd')
  })

  test('lets a group choose its variables, but not those of the protocol', () => {
    const { Env } = options()
    expect(Env).toContain('HOME=/elsewhere')
    expect(Env?.filter((variable) => variable.startsWith('SESSIOND_EPOCH='))).toEqual(['SESSIOND_EPOCH=7'])
  })

  test('shows in/ read-only, out/ and the workspace writable, with paths as they are', () => {
    expect(options().HostConfig?.Mounts).toEqual([
      { Type: 'bind', Source: '/data/in', Target: '/sessiond/in', ReadOnly: true },
      { Type: 'bind', Source: '/data/out', Target: '/sessiond/out', ReadOnly: false },
      { Type: 'bind', Source: '/data/with:colon', Target: '/workspace', ReadOnly: false },
      { Type: 'bind', Source: '/shared', Target: '/data', ReadOnly: true },
    ])
  })

  test('walls the run off', () => {
    expect(options()).toMatchObject({
      User: '12:34',
      Tty: false,
      OpenStdin: false,
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Privileged: false,
        NetworkMode: 'none',
        AutoRemove: false,
        RestartPolicy: { Name: 'no' },
      },
    })
  })

  test('(D15) sets each limit, memory without swap on top', () => {
    expect(options().HostConfig).toMatchObject({
      Memory: 1000,
      MemorySwap: 1000,
      PidsLimit: 10,
      NanoCpus: 1_500_000_000,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'fsize', Soft: 500, Hard: 500 },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '50000', 'max-file': '2' } },
    })
  })

  test('leaves out the limits that are not set', () => {
    const none = { memoryBytes: null, processes: null, cpus: null, fileBytes: null, logBytes: 100 }
    const { HostConfig } = options({ limits: none }, false)
    for (const key of ['Memory', 'MemorySwap', 'PidsLimit', 'NanoCpus', 'Init'])
      expect(HostConfig).not.toHaveProperty(key)
    expect(HostConfig?.LogConfig?.Config['max-size']).toBe('1024')
  })
})
