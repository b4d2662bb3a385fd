import { expect, it } from 'vitest'
import { compileConfig } from './compile-config.ts'
import { FILE_CLASSES } from './config.ts'
import { listOptions } from './list-options.ts'
import type {
  ArtifactOptions,
  FileBoundsOptions,
  HostOptions,
  RetentionOptions,
  RetryOptions,
  StuckOptions,
} from './options.ts'

const STUCK: Required<StuckOptions> = {
  policy: 'classic',
  start: '1m',
  frozen: '1m',
  toolGrace: '1m',
  maxToolTimeout: '1h',
  toolSilent: '1m',
  toolBlind: '1m',
  busyCeiling: '1h',
  modelSilent: '1m',
  modelPinging: '2m',
  maxWait: '1h',
  silent: '1m',
  deaf: '1m',
  claimSilent: '1m',
  ceiling: '5m',
  tools: { 'mcp__*': { silent: '1m', busyCeiling: '1h' } },
}
const RETRY: Required<RetryOptions> = { maxTries: 2, base: '1s', max: '2s', jitter: 'full', maxDefer: '1h' }

const BOUNDS: Required<FileBoundsOptions> = { age: '1m', count: 1, size: '1KiB', keep: ['kept'] }
const SCRATCH: Required<ArtifactOptions> = {
  root: '/srv/scratch',
  patterns: ['{id}.tmp'],
  age: '1m',
  count: 1,
  size: '1KiB',
  keep: ['kept'],
  protects: ['id'],
}

function retentionOf(artifact: string, artifactRoot: string): Required<RetentionOptions> {
  return {
    transcripts: BOUNDS,
    debugLogs: BOUNDS,
    todos: BOUNDS,
    telemetry: BOUNDS,
    groupLogs: BOUNDS,
    runLogs: BOUNDS,
    recordings: BOUNDS,
    setAside: BOUNDS,
    attachments: BOUNDS,
    files: BOUNDS,
    messages: '1h',
    replies: '2h',
    deadLetters: '3h',
    journal: '4h',
    runs: '5h',
    ledger: '2d',
    sessions: '40d',
    closedSessions: '1m',
    archives: '6h',
    artifacts: { [artifact]: { ...SCRATCH, root: artifactRoot } },
  }
}

/** Every option there is, once: what the types offer must be what the schema knows. */
const FULL: Required<HostOptions> = {
  dataDir: 'data',
  timeZone: 'Asia/Tokyo',
  api: { host: '::1', port: 1, maxBody: '3MiB', requestsPerSecond: 1, allowedHosts: ['a.example'] },
  groups: {
    a: {
      agent: { command: ['a'], per: 'batch', timeout: '1m', maxReply: '1KiB' },
      runtime: 'docker',
      image: 'a:1',
      network: 'none',
      user: '1:1',
      env: { A: 'a' },
      mounts: [{ source: 'shared/a', target: '/a', writable: true }],
      limits: { memory: '1GiB', processes: 9, cpus: 0.5, file: null, log: '1MiB' },
      timeZone: 'UTC',
      sinks: ['s'],
      stuck: STUCK,
      retry: RETRY,
      idleStop: 0,
      account: 'team',
      retention: retentionOf('own', '/srv/own'),
    },
    b: { runner: { command: ['b'] } },
  },
  sinks: { s: { url: 'http://s', secret: 's', timeout: 100, maxAttempts: 1, base: 10, max: 10, concurrency: 1 } },
  mounts: { roots: [{ path: 'shared', writable: true }] },
  docker: { socketPath: '/s', callTimeout: '1s', node: 'image' },
  runs: { max: 5, maxStarting: 5, stopGrace: 1, killWait: '1s', cancelGrace: 1, idleStop: 1 },
  spawn: { base: '1s', max: '1s', tellAfter: 1 },
  provider: { maxPark: '3s', wait: '1s', maxWait: '2s', ramp: 4 },
  stuck: STUCK,
  retry: RETRY,
  retention: retentionOf('scratch', '/srv/scratch'),
  cleaning: { every: '2h', budget: '1m', batch: 7, highWater: 0.8, trash: '1d', useTrash: true },
  sweep: { interval: '1s', concurrency: 1 },
  mailbox: {
    windowMessages: 1,
    window: '4MiB',
    takeRows: 1,
    take: '4MiB',
    readTimeout: '1s',
    readers: 1,
    poll: '1s',
  },
  limits: { text: '1KiB', diskFloor: 0 },
  shutdown: { drain: 0, stopTimeout: '5s' },
  log: { level: 'silent' },
}

/** Options that are one value although they look like a list or an object. */
const WHOLE = /\.(command|sinks|allowedHosts|keep|patterns|protects)$/

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || WHOLE.test(path)) return [path]
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${path}[]`))
  return Object.entries(value).flatMap(([key, inner]) => {
    const isChosen =
      path === 'groups' ||
      path === 'sinks' ||
      path.endsWith('.env') ||
      path.endsWith('.stuck.tools') ||
      path === 'stuck.tools' ||
      path.endsWith('retention.artifacts')
    return pathsOf(inner, path === '' ? key : `${path}.${isChosen ? '<name>' : key}`)
  })
}

it('offers in its types exactly the options the schema knows', () => {
  expect([...new Set(pathsOf(FULL, ''))].sort()).toEqual(
    listOptions()
      .map((entry) => entry.path)
      .sort(),
  )
})

it('takes every one of them to the host', () => {
  const config = compileConfig(FULL, { env: {}, baseDir: '/base' })
  expect(config).toMatchObject({
    api: { host: '::1', port: 1, maxBodyBytes: 3 * 2 ** 20, requestsPerSecond: 1, allowedHosts: ['a.example'] },
    docker: { socketPath: '/s', callTimeoutMs: 1_000, node: 'image' },
    runs: { max: 5, maxStarting: 5, stopGraceMs: 1, killWaitMs: 1_000, cancelGraceMs: 1 },
    spawn: { baseMs: 1_000, maxMs: 1_000, tellAfter: 1 },
    provider: { maxParkMs: 3_000, waitMs: 1_000, maxWaitMs: 2_000, ramp: 4, openFrom: 5 },
    sweep: { intervalMs: 1_000, concurrency: 1 },
    mailbox: {
      windowMessages: 1,
      windowBytes: 2 ** 22,
      takeRows: 1,
      takeBytes: 2 ** 22,
      readTimeoutMs: 1_000,
      pollMs: 1_000,
    },
    limits: { textBytes: 1_024, diskFloorBytes: 0 },
    shutdown: { drainMs: 0 },
    log: { level: 'silent' },
    cleaning: {
      everyMs: 7_200_000,
      budgetMs: 60_000,
      batch: 7,
      highWaterShare: 0.8,
      trashMs: 86_400_000,
      usesTrash: true,
    },
  })
  const bounds = { maxAgeMs: 60_000, maxCount: 1, maxBytes: 1_024, keep: ['kept'] }
  const own = { group: null, patterns: ['{id}.tmp'], protects: ['id'] }
  const scratch = { ...bounds, ...own, ageBy: 'writing', mayGoEarly: true }
  const retention = {
    files: Object.fromEntries(FILE_CLASSES.map((name) => [name, bounds])),
    rows: {
      messagesMs: 3_600_000,
      repliesMs: 7_200_000,
      deadLettersMs: 10_800_000,
      journalMs: 14_400_000,
      runsMs: 18_000_000,
      ledgerMs: 2 * 86_400_000,
      sessionsMs: 40 * 86_400_000,
    },
    closedSessionsMs: 60_000,
    archivesMs: 21_600_000,
    artifacts: [{ ...scratch, name: 'scratch', root: '/srv/scratch' }],
  }
  expect(config.defaults.retention).toEqual(retention)
  expect(config.groups.get('a')).toEqual({
    name: 'a',
    agent: { kind: 'command', command: ['a'], per: 'batch', timeoutMs: 60_000, maxReplyBytes: 1_024 },
    runtime: 'docker',
    image: 'a:1',
    network: 'none',
    user: { uid: 1, gid: 1 },
    environment: { A: 'a' },
    mounts: [{ source: '/base/shared/a', target: '/a', writable: true }],
    limits: { memoryBytes: 2 ** 30, processes: 9, cpus: 0.5, fileBytes: null, logBytes: 2 ** 20 },
    timeZone: 'UTC',
    sinks: ['s'],
    stuck: {
      policy: 'classic',
      startMs: 60_000,
      frozenMs: 60_000,
      toolGraceMs: 60_000,
      maxToolTimeoutMs: 3_600_000,
      toolSilentMs: 60_000,
      toolBlindMs: 60_000,
      busyCeilingMs: 3_600_000,
      modelSilentMs: 60_000,
      modelPingingMs: 120_000,
      maxWaitMs: 3_600_000,
      silentMs: 60_000,
      deafMs: 60_000,
      claimSilentMs: 60_000,
      ceilingMs: 300_000,
      // The group's own before the host's.
      tools: Array.from({ length: 2 }, () => ({ pattern: 'mcp__*', silentMs: 60_000, busyCeilingMs: 3_600_000 })),
    },
    retry: { maxTries: 2, baseMs: 1_000, maxMs: 2_000, jitter: 'full', maxDeferMs: 3_600_000 },
    idleStopMs: 0,
    account: 'team',
    retention: { ...retention, artifacts: [{ ...scratch, name: 'own', group: 'a', root: '/srv/own' }] },
  })
  expect(config.groups.get('b')).toMatchObject({
    agent: { kind: 'runner', command: ['b'] },
    timeZone: 'Asia/Tokyo',
    idleStopMs: 1,
    account: 'b',
  })
  expect(config.sinks.get('s')).toEqual({
    name: 's',
    url: 'http://s',
    secret: 's',
    timeoutMs: 100,
    maxAttempts: 1,
    baseMs: 10,
    maxMs: 10,
    concurrency: 1,
  })
})
