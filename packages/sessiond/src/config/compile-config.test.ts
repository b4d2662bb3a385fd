import { describe, expect, it } from 'vitest'
import { hasCode } from '../model/errors.ts'
import { type CompileContext, compileConfig } from './compile-config.ts'
import type { HostOptions } from './options.ts'
import { ConfigInvalidError } from './problem.ts'

const AGENT = { command: ['sh'] }
const SHELL = { agent: AGENT }
const DOCKER = { runtime: 'docker', image: 'node:24', agent: AGENT } as const
const CONTEXT: CompileContext = { env: {}, baseDir: '/base' }

function problemsOf(options: unknown, context: Partial<CompileContext> = {}): string[] {
  try {
    compileConfig(options, { ...CONTEXT, ...context })
  } catch (error) {
    if (!(error instanceof ConfigInvalidError) || !hasCode(error, 'CONFIG_INVALID')) throw error
    return error.problems.map((problem) => problem.where)
  }
  return []
}

function messageOf(options: unknown, context: Partial<CompileContext> = {}): string {
  try {
    compileConfig(options, { ...CONTEXT, ...context })
  } catch (error) {
    return String(error)
  }
  throw new Error('the configuration was accepted')
}

const group = (more: object): unknown => ({ groups: { g: { ...SHELL, ...more } } })
const docker = (more: object, host: object = {}): unknown => ({ groups: { g: { ...DOCKER, ...more } }, ...host })
const mount = (more: object, root: object = {}): unknown =>
  docker(
    { mounts: [{ source: '/data/a', target: '/a', ...more }] },
    { mounts: { roots: [{ path: '/data', ...root }] } },
  )

describe('compileConfig', () => {
  it('fills in every default of the smallest configuration', () => {
    const config = compileConfig({ groups: { shell: SHELL } }, CONTEXT)
    expect(config).toMatchObject({
      dataDir: '/base/.sessiond',
      timeZone: 'UTC',
      sweep: { intervalMs: 60_000 },
      runs: { max: 10, maxStarting: 4, stopGraceMs: 10_000 },
      shutdown: { drainMs: 20_000 },
      api: { host: '127.0.0.1', port: 7420 },
    })
    expect(config.groups.get('shell')).toMatchObject({
      name: 'shell',
      agent: { kind: 'command', command: ['sh'], per: 'message', timeoutMs: 1_800_000, maxReplyBytes: 262_144 },
      runtime: 'process',
      stuck: { policy: 'default', frozenMs: 45_000, claimSilentMs: 60_000, ceilingMs: 1_800_000 },
      retry: { maxTries: 5, baseMs: 5_000, jitter: 'none' },
      idleStopMs: 300_000,
      limits: { memoryBytes: null, processes: null, cpus: null },
    })
  })

  it('reads durations and sizes as text or numbers', () => {
    const config = compileConfig(
      {
        groups: { g: { agent: { ...AGENT, timeout: '1h30m', maxReply: '64KiB' }, idleStop: 250 } },
        sweep: { interval: '5s' },
        limits: { text: 4096, diskFloor: '1GiB' },
      },
      CONTEXT,
    )
    expect(config.groups.get('g')).toMatchObject({
      agent: { timeoutMs: 5_400_000, maxReplyBytes: 65_536 },
      idleStopMs: 250,
    })
    expect(config.sweep.intervalMs).toBe(5_000)
    expect(config.limits).toEqual({ textBytes: 4096, diskFloorBytes: 1024 ** 3 })
  })

  it('merges what a group overrides of stuck and retry over the host', () => {
    const config = compileConfig(
      {
        groups: { g: { ...SHELL, stuck: { claimSilent: '2m' }, retry: { maxTries: 2 } }, h: SHELL },
        stuck: { claimSilent: '90s', ceiling: '10m' },
        retry: { base: '1s' },
      },
      CONTEXT,
    )
    expect(config.groups.get('g')).toMatchObject({
      stuck: { claimSilentMs: 120_000, ceilingMs: 600_000 },
      retry: { maxTries: 2, baseMs: 1_000 },
    })
    expect(config.groups.get('h')).toMatchObject({ stuck: { claimSilentMs: 90_000 }, retry: { maxTries: 5 } })
    expect(config.defaults).toMatchObject({ stuck: { claimSilentMs: 90_000 }, retry: { baseMs: 1_000 } })
  })

  it('bounds docker runs by default and leaves their user to the runtime unless told', () => {
    const options: HostOptions = { groups: { g: DOCKER, h: { ...DOCKER, user: '7:8', limits: { memory: null } } } }
    const config = compileConfig(options, CONTEXT)
    expect(config.groups.get('g')).toMatchObject({
      network: 'bridge',
      user: null,
      limits: { memoryBytes: 2 * 1024 ** 3, processes: 512 },
    })
    expect(config.groups.get('h')).toMatchObject({ user: { uid: 7, gid: 8 }, limits: { memoryBytes: null } })
  })

  it('takes secrets from the environment', () => {
    const options = {
      groups: { g: { ...SHELL, env: { KEY: { fromEnv: 'API_KEY' }, MODE: 'x' }, sinks: ['hook'] } },
      sinks: { hook: { url: 'https://example.org/in', secret: { fromEnv: 'HOOK' } } },
    }
    const config = compileConfig(options, { ...CONTEXT, env: { API_KEY: 'k', HOOK: 'h', OTHER: 'o' } })
    expect(config.groups.get('g')?.environment).toEqual({ KEY: 'k', MODE: 'x' })
    expect(config.sinks.get('hook')).toMatchObject({ name: 'hook', secret: 'h', maxAttempts: 10, maxMs: 900_000 })
  })

  it('lets secrets be missing only for commands that start no run', () => {
    const options = group({ env: { KEY: { fromEnv: 'API_KEY' } } })
    expect(problemsOf(options)).toEqual(['groups.g.env.KEY'])
    expect(problemsOf(options, { needsSecrets: false })).toEqual([])
  })

  it('starts relative paths at the configuration file', () => {
    const config = compileConfig(
      {
        dataDir: 'data',
        mounts: { roots: [{ path: 'shared', writable: true }] },
        groups: { g: { ...DOCKER, mounts: [{ source: './shared/x', target: '/x', writable: true }] } },
      },
      CONTEXT,
    )
    expect(config.dataDir).toBe('/base/data')
    expect(config.mounts.roots).toEqual([{ path: '/base/shared', writable: true }])
    expect(config.groups.get('g')?.mounts).toEqual([{ source: '/base/shared/x', target: '/x', writable: true }])
  })

  it('starts no more at once than may run, without being told', () => {
    expect(compileConfig({ groups: { g: SHELL }, runs: { max: 2 } }, CONTEXT).runs.maxStarting).toBe(2)
  })

  it.each<[string, unknown, string[]]>([
    ['no configuration', undefined, ['the configuration']],
    ['a list', [], ['the configuration']],
    ['no groups', {}, ['groups']],
    ['an empty groups', { groups: {} }, ['groups']],
    ['a group that is text', { groups: { g: 'sh' } }, ['groups.g']],
    ['neither agent nor runner', { groups: { g: {} } }, ['groups.g']],
    ['both agent and runner', group({ runner: { command: ['x'] } }), ['groups.g']],
    ['a group name with a slash', { groups: { 'a/b': SHELL } }, ['groups["a/b"]']],
    ['a group name that climbs', { groups: { '..': SHELL } }, ['groups[".."]']],
    ['a group called __proto__', { groups: JSON.parse('{"__proto__":{}}') }, ['groups["__proto__"]']],
    [
      'a sink called __proto__',
      { groups: { g: SHELL }, sinks: JSON.parse('{"__proto__":{"url":"http://x"}}') },
      ['sinks["__proto__"]'],
    ],
    ['a variable called __proto__', group({ env: JSON.parse('{"__proto__":"x"}') }), ['groups.g.env["__proto__"]']],
    [
      'a group called __proto__ that JavaScript made a prototype',
      { groups: Object.setPrototypeOf({ g: SHELL }, { other: SHELL }) },
      ['groups["__proto__"]'],
    ],
    ['groups that differ by case', { groups: { a: SHELL, A: SHELL } }, ['groups.A']],
    ['a sink name with a space', { groups: { g: SHELL }, sinks: { 'a b': { url: 'http://x' } } }, ['sinks["a b"]']],
    ['a command that is text', { groups: { g: { agent: { command: 'sh -c' } } } }, ['groups.g.agent.command']],
    ['an empty command', { groups: { g: { agent: { command: [] } } } }, ['groups.g.agent.command']],
    ['a command with NUL', { groups: { g: { agent: { command: ['a\0b'] } } } }, ['groups.g.agent.command']],
    ['an unknown runtime', group({ runtime: 'podman' }), ['groups.g.runtime']],
    ['docker without image', { groups: { g: { runtime: 'docker', agent: AGENT } } }, ['groups.g.image']],
    ['process with image', group({ image: 'x' }), ['groups.g.image']],
    ['process with network and user', group({ network: 'none', user: '1:1' }), ['groups.g.network', 'groups.g.user']],
    ['an image that is an option', docker({ image: '--privileged' }), ['groups.g.image']],
    ['a network of another container', docker({ network: 'container:x' }), ['groups.g.network']],
    ['root as user', docker({ user: '0:0' }), ['groups.g.user']],
    ['a name as user', docker({ user: 'node' }), ['groups.g.user']],
    ['a variable with =', group({ env: { 'A=B': 'x' } }), ['groups.g.env["A=B"]']],
    ['a variable of ours', group({ env: { SESSIOND_EPOCH: '7' } }), ['groups.g.env["SESSIOND_EPOCH"]']],
    ['a value with NUL', group({ env: { A: 'x\0y' } }), ['groups.g.env.A']],
    ['a value that is a number', group({ env: { A: 5 } }), ['groups.g.env.A']],
    ['an unknown sink', group({ sinks: ['hok'] }), ['groups.g.sinks']],
    ['an invalid zone', group({ timeZone: 'Europe/Nowhere' }), ['groups.g.timeZone']],
    ['an offset as zone', { groups: { g: SHELL }, timeZone: '+01:00' }, ['timeZone']],
    ['a mount outside the roots', mount({ source: '/etc' }), ['groups.g.mounts[0].source']],
    ['a mount that climbs out of its root', mount({ source: '/data/../etc' }), ['groups.g.mounts[0].source']],
    ['a mount beside its root', mount({ source: '/database' }), ['groups.g.mounts[0].source']],
    ['a writable mount below a read-only root', mount({ writable: true }), ['groups.g.mounts[0].writable']],
    ['a relative target', mount({ target: 'a' }), ['groups.g.mounts[0].target']],
    ['a target that climbs', mount({ target: '/a/../sessiond' }), ['groups.g.mounts[0].target']],
    ['a target of ours', mount({ target: '/sessiond/in' }), ['groups.g.mounts[0].target']],
    ['the workspace as target', mount({ target: '/workspace' }), ['groups.g.mounts[0].target']],
    ['a target with a colon', mount({ target: '/a:rw' }), ['groups.g.mounts[0].target']],
    [
      'a mount of the data directory',
      { ...(mount({ source: '/data/x' }) as object), dataDir: '/data/x/store' },
      ['groups.g.mounts[0].source'],
    ],
    ['claimSilent above ceiling', { groups: { g: SHELL }, stuck: { claimSilent: '31m' } }, ['stuck.claimSilent']],
    [
      "a group's claimSilent above the host's ceiling",
      group({ stuck: { claimSilent: '31m' } }),
      ['groups.g.stuck.claimSilent'],
    ],
    ["a group's ceiling below the host's claimSilent", group({ stuck: { ceiling: '59s' } }), ['stuck.claimSilent']],
    ['a timeout above maxToolTimeout', group({ agent: { ...AGENT, timeout: '13h' } }), ['groups.g.agent.timeout']],
    [
      "a timeout above the host's maxToolTimeout",
      { groups: { g: { agent: { ...AGENT, timeout: '61m' } } }, stuck: { maxToolTimeout: '1h' } },
      ['groups.g.agent.timeout'],
    ],
    [
      "a timeout above the group's own maxToolTimeout",
      group({ agent: { ...AGENT, timeout: '61m' }, stuck: { maxToolTimeout: '1h' } }),
      ['groups.g.agent.timeout'],
    ],
    [
      "a group's maxToolTimeout below the usual timeout",
      group({ stuck: { maxToolTimeout: '1s' } }),
      ['groups.g.agent.timeout'],
    ],
    ['modelSilent above modelPinging', { groups: { g: SHELL }, stuck: { modelSilent: '31m' } }, ['stuck.modelSilent']],
    [
      "a group's modelPinging below the host's modelSilent",
      group({ stuck: { modelPinging: '9m' } }),
      ['stuck.modelSilent'],
    ],
    ['toolSilent above busyCeiling', { groups: { g: SHELL }, stuck: { toolSilent: '7h' } }, ['stuck.toolSilent']],
    ["a group's silent above busyCeiling", group({ stuck: { silent: '7h' } }), ['groups.g.stuck.silent']],
    [
      "a tool's silent above its own busyCeiling",
      { groups: { g: SHELL }, stuck: { tools: { Bash: { silent: '2h', busyCeiling: '1h' } } } },
      ['stuck.tools.Bash.silent'],
    ],
    [
      "a group's tool with silent above the host's busyCeiling",
      group({ stuck: { tools: { Bash: { silent: '7h' } } } }),
      ['groups.g.stuck.tools.Bash.silent'],
    ],
    [
      "a tool's busyCeiling below toolSilent",
      { groups: { g: SHELL }, stuck: { tools: { Bash: { busyCeiling: '4m' } } } },
      ['stuck.toolSilent'],
    ],
    [
      "a group's busyCeiling below what the host allows a tool",
      {
        groups: { g: { ...SHELL, stuck: { busyCeiling: '1h' } } },
        stuck: { tools: { Bash: { silent: '2h' } } },
      },
      ['stuck.tools.Bash.silent'],
    ],
    ['retry.base above max', { groups: { g: SHELL }, retry: { base: '10m', max: '9m' } }, ['retry.base']],
    ['spawn.base above max', { groups: { g: SHELL }, spawn: { base: '6m' } }, ['spawn.base']],
    ['provider.wait above maxWait', { groups: { g: SHELL }, provider: { wait: '31m' } }, ['provider.wait']],
    ['provider.maxWait above maxPark', { groups: { g: SHELL }, provider: { maxPark: '29m' } }, ['provider.maxWait']],
    ['an account that is no name', { groups: { g: { ...SHELL, account: 'a b' } } }, ['groups.g.account']],
    ['maxStarting above max', { groups: { g: SHELL }, runs: { max: 3, maxStarting: 4 } }, ['runs.maxStarting']],
    ['a text above the window', { groups: { g: SHELL }, mailbox: { window: '512KiB' } }, ['limits.text']],
    ['a body no larger than a text', { groups: { g: SHELL }, api: { maxBody: '1MiB' } }, ['limits.text']],
    [
      '(D22) a drain beyond the stop time-out',
      { groups: { g: SHELL }, shutdown: { drain: '71s' } },
      ['shutdown.drain'],
    ],
    ['a drain that leaves work no time', { groups: { g: SHELL }, shutdown: { drain: '10s' } }, ['shutdown.drain']],
    [
      'a sink with base above max',
      { groups: { g: SHELL }, sinks: { s: { url: 'http://x', base: '2m', max: '1m' } } },
      ['sinks.s.base'],
    ],
    ['a URL with a password', { groups: { g: SHELL }, sinks: { s: { url: 'https://u:p@x' } } }, ['sinks.s.url']],
    ['a URL of another kind', { groups: { g: SHELL }, sinks: { s: { url: 'file:///etc' } } }, ['sinks.s.url']],
    [
      'a URL with a port that fetch forbids',
      { groups: { g: SHELL }, sinks: { s: { url: 'http://x:6666/hook' } } },
      ['sinks.s.url'],
    ],
    ['an empty secret', { groups: { g: SHELL }, sinks: { s: { url: 'http://x', secret: '' } } }, ['sinks.s.secret']],
    ['a port above 65535', { groups: { g: SHELL }, api: { port: 65_536 } }, ['api.port']],
    ['a fraction', { groups: { g: SHELL }, runs: { max: 1.5 } }, ['runs.max']],
    ['a number as text', { groups: { g: SHELL }, runs: { max: '5' } }, ['runs.max']],
    ['a duration without unit', { groups: { g: SHELL }, sweep: { interval: '60' } }, ['sweep.interval']],
    ['a duration below its bound', { groups: { g: SHELL }, sweep: { interval: '999ms' } }, ['sweep.interval']],
    ['NaN', { groups: { g: SHELL }, sweep: { interval: Number.NaN } }, ['sweep.interval']],
    ['a size in MB', { groups: { g: SHELL }, limits: { text: '1MB' } }, ['limits.text']],
    ['an unknown level', { groups: { g: SHELL }, log: { level: 'trace' } }, ['log.level']],
    ['null for an object', { groups: { g: SHELL }, api: null }, ['api']],
  ])('refuses %s', (_, options, where) => {
    expect(problemsOf(options)).toEqual(where)
  })

  it("accepts a tool of the host's that a group's own entry of that name takes the place of", () => {
    const options = {
      groups: { g: { ...SHELL, stuck: { busyCeiling: '1h', tools: { Bash: { silent: '30m' } } } } },
      stuck: { tools: { Bash: { silent: '2h' } } },
    }
    expect(problemsOf(options)).toEqual([])
  })

  it('accepts values at their bounds', () => {
    const options = {
      groups: { g: { ...SHELL, agent: { ...AGENT, timeout: '2h' }, stuck: { claimSilent: '30m' } } },
      shutdown: { drain: '70s' },
      retry: { base: '1h' },
      runs: { max: 4, maxStarting: 4 },
      stuck: {
        toolSilent: '6h',
        silent: '6h',
        modelSilent: '30m',
        maxToolTimeout: '2h',
        tools: { T: { silent: '6h' } },
      },
    }
    expect(problemsOf(options)).toEqual([])
  })

  it('names both of two errors, also when one is a pair and the other a typo', () => {
    const message = messageOf({ groups: { g: SHELL }, stuck: { claimSilent: '2h' }, swep: {} })
    expect(message).toContain('has 2 problems')
    expect(message).toContain('stuck.claimSilent is 2h, but must be at most stuck.ceiling, which is 30m.')
    expect(message).toContain('swep is no option. Did you mean sweep?')
  })

  it('says nothing of a pair whose one half is wrong by itself', () => {
    expect(problemsOf({ groups: { g: SHELL }, stuck: { claimSilent: '2h', ceiling: 'long' } })).toEqual([
      'stuck.ceiling',
    ])
  })

  it('still checks one group when another is beyond saving', () => {
    expect(problemsOf({ groups: { a: 5, b: { ...SHELL, image: 'x' } } })).toEqual(['groups.a', 'groups.b.image'])
  })

  it.each([
    [{ dataDirectory: 'x' }, 'dataDirectory is no option. Did you mean dataDir?'],
    [{ port: 1 }, 'port is no option. Did you mean api.port?'],
    [{ runs: { maxx: 1 } }, 'runs.maxx is no option. Did you mean max?'],
    [{ stuck: { claimSilentMs: 1 } }, 'stuck.claimSilentMs is no option. Did you mean claimSilent?'],
    [{ groups: { g: { ...SHELL, enviroment: {} } } }, 'groups.g.enviroment is no option.'],
    [
      { groups: { g: { agent: { ...AGENT, timout: 1 } } } },
      'groups.g.agent.timout is no option. Did you mean timeout?',
    ],
    [{ log: { zzzzzzzz: 1 } }, 'log.zzzzzzzz is no option. Known here: level.'],
  ])('names the likely option for a typo: %j', (typo, message) => {
    expect(messageOf({ groups: { g: SHELL }, ...typo })).toContain(message)
  })

  it('(G10) never shows a value that may be a secret', () => {
    const message = messageOf({
      groups: { g: { agent: { command: 's3cret' }, env: { KEY: ['s3cret'], 'B D': 's3cret' } } },
      sinks: { s: { url: 's3cret', secret: { fromenv: 's3cret' } } },
    })
    expect(message).toContain('sinks.s.secret')
    expect(message).not.toContain('s3cret')
  })

  it('takes a drain of nothing, which says so, and one that is a little longer than the grace', () => {
    const drainMs = (drain: number | string) =>
      compileConfig({ groups: { g: SHELL }, shutdown: { drain } }, CONTEXT).shutdown.drainMs
    expect([drainMs(0), drainMs('10001ms')]).toEqual([0, 10_001])
  })

  it('says why a port cannot be used, and nothing else of the URL', () => {
    const message = messageOf({ groups: { g: SHELL }, sinks: { s: { url: 'http://x:6666/token' } } })
    expect(message).toContain('has port 6666, which cannot be posted to')
    expect(message).not.toContain('token')
  })

  it('shows a long value cut and on one line', () => {
    const message = messageOf({ groups: { g: SHELL }, timeZone: `a\n${'x'.repeat(5_000)}` })
    expect(message).toContain('timeZone is "a\\nxxx')
    expect(message.length).toBeLessThan(400)
  })

  it('lays the environment over the file', () => {
    const env = {
      SESSIOND_DATA_DIR: '/elsewhere',
      SESSIOND_API_PORT: '0',
      SESSIOND_LOG_LEVEL: 'debug',
      SESSIOND_RUNS_MAX: '3',
      SESSIOND_SWEEP_INTERVAL: '5s',
      SESSIOND_TIME_ZONE: '',
    }
    const config = compileConfig({ groups: { g: SHELL }, api: { port: 9 } }, { ...CONTEXT, env })
    expect(config).toMatchObject({
      dataDir: '/elsewhere',
      api: { port: 0 },
      log: { level: 'debug' },
      runs: { max: 3, maxStarting: 3 },
      sweep: { intervalMs: 5_000 },
      timeZone: 'UTC',
    })
  })

  it('names the variable that set a wrong value, and one that is misspelt', () => {
    const env = { SESSIOND_API_PORT: 'http', SESSIOND_RUNS_MX: '3', SESSIOND_EPOCH: '4', SESSIOND_UNRELATED_THING: 'x' }
    expect(problemsOf({ groups: { g: SHELL } }, { env })).toEqual(['SESSIOND_RUNS_MX', 'SESSIOND_API_PORT (api.port)'])
  })

  it('does not choke on a configuration that is all wrong', () => {
    const groups = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`g${index}`, { bad: 1, agent: 5 }]))
    expect(problemsOf({ groups })).toHaveLength(200)
  })
})
