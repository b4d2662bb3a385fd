// The page docs/configuration.md is made of these schemas; a test holds the two together.
import { PROTOCOL_LIMITS } from '@sessiond/protocol'
import { z } from 'zod'
import { cleaningSchema } from './cleaning-schema.ts'
import { groupSchema, secret } from './group-schema.ts'
import { count, duration, flag, list, oneOf, size, text, toBytes, toMs } from './leaf.ts'
import { hostRetentionSchema } from './retention-schema.ts'
import { hostRetrySchema } from './retry-schema.ts'
import { formatSize } from './size.ts'
import { hostStuckSchema } from './stuck-schema.ts'
import { timeZone } from './time-zone.ts'

const apiSchema = z
  .strictObject({
    host: text({
      about: 'Address the HTTP API listens on. Anything but loopback opens it to the network: put TLS in front.',
      unit: 'address',
      rule: 'must be an address or host name',
      cure: "Write '127.0.0.1' to serve this machine only.",
      accepts: (value) => /^[A-Za-z0-9:._-]{1,253}$/.test(value),
    }).default('127.0.0.1'),
    port: count({ about: 'Port of the HTTP API; 0: any free one.', unit: 'port', min: 0, max: 65_535 }).default(7420),
    maxBody: size({
      about: 'Longest request body.',
      min: '1KiB',
      max: '64MiB',
      tooLow: 'Long texts are refused although `limits.text` allows them.',
      tooHigh: 'Each request may take that much memory.',
    }).default(toBytes('2MiB')),
    requestsPerSecond: count({
      about: 'Requests per second and client address, with a burst of the same size.',
      unit: 'requests',
      min: 1,
      max: 1_000_000,
      tooLow: 'Honest clients are told to wait (429).',
      tooHigh: 'A client gone wild slows everyone.',
    }).default(200),
    allowedHosts: list({
      about: 'Host header values accepted besides loopback names.',
      unit: 'list of host names',
      rule: 'must be a list of host names, with their port where it is not the default one',
      cure: "Write it as ['sessiond.example.org'].",
      accepts: (items) => items.every((item) => /^[A-Za-z0-9:._[\]-]{1,259}$/.test(item)),
    }).default([]),
  })
  .prefault({})

const sinkSchema = z.strictObject({
  url: text({
    about: 'Where replies are posted.',
    unit: 'URL',
    absent: 'required',
    rule: 'must be an http or https URL without a user name or password in it',
    cure: "Write it as 'https://example.org/replies'; use `secret` to let the receiver check the sender.",
    accepts: isPlainUrl,
  }),
  secret: secret({ about: 'Key of the HMAC-SHA-256 signature.', absent: 'unsigned' }).optional(),
  timeout: duration({
    about: 'Longest wait for one answer.',
    min: '100ms',
    max: '5m',
    tooLow: 'A slow receiver gets the same reply again and again.',
    tooHigh: 'A receiver that hangs delays its session that long.',
  }).default(toMs('10s')),
  maxAttempts: count({
    about: 'Attempts before a delivery becomes a dead letter.',
    unit: 'attempts',
    min: 1,
    max: 1_000,
    tooLow: 'A short outage makes dead letters.',
    tooHigh: 'A receiver that is gone is asked for days.',
  }).default(10),
  base: duration({
    about: 'Wait after the first failed attempt; doubles with each.',
    min: '10ms',
    max: '1h',
    tooLow: 'A receiver in trouble is pressed.',
    tooHigh: 'One lost packet costs minutes.',
  }).default(toMs('1s')),
  max: duration({
    about: 'Longest wait between two attempts.',
    min: '10ms',
    max: '1d',
    tooLow: 'A receiver in trouble is pressed.',
    tooHigh: 'Replies come hours after the receiver is back.',
  }).default(toMs('15m')),
  concurrency: count({
    about: 'Deliveries under way to this sink at once, of different sessions.',
    unit: 'deliveries',
    min: 1,
    max: 1_000,
    tooLow: 'One slow delivery delays other sessions.',
    tooHigh: 'The receiver is flooded after an outage.',
  }).default(8),
})

const mountsSchema = z
  .strictObject({
    roots: z
      .array(
        z.strictObject({
          path: text({
            about: 'Folder of the host below which groups may mount; relative paths start at the configuration file.',
            unit: 'path',
            absent: 'required',
            rule: 'must be a path without NUL',
            cure: 'Name a folder of this machine.',
            accepts: (value) => value !== '' && !value.includes('\0'),
          }),
          writable: flag({ about: 'Lets groups ask for writable mounts below it.' }).default(false),
        }),
      )
      .default([]),
  })
  .prefault({})

const dockerSchema = z
  .strictObject({
    socketPath: text({
      about: "The engine's socket; Podman's serves too.",
      unit: 'path',
      absent: '`DOCKER_HOST`, else `/var/run/docker.sock`',
      rule: 'must be an absolute path',
      cure: "Write it as '/var/run/docker.sock'.",
      accepts: (value) => value.startsWith('/') && !value.includes('\0'),
    }).optional(),
    callTimeout: duration({
      about: 'Longest wait for one answer of the engine.',
      min: '1s',
      max: '10m',
      tooLow: 'A busy engine is taken for unreachable.',
      tooHigh: 'A hung engine is noticed late.',
    }).default(toMs('30s')),
    node: oneOf({
      about: "Bring the host's own Node into the container, or use the image's (24 or newer).",
      words: ['mounted', 'image'],
    }).default('mounted'),
  })
  .prefault({})

const runsSchema = z
  .strictObject({
    max: count({
      about: 'Running plus starting runs of all groups.',
      unit: 'runs',
      min: 1,
      max: 10_000,
      tooLow: 'Messages wait for a place.',
      tooHigh: 'The machine runs out of memory.',
    }).default(10),
    maxStarting: count({
      about: 'Starts under way at once; at most `runs.max`.',
      unit: 'runs',
      absent: '`4`, or `runs.max` if that is less',
      min: 1,
      max: 1_000,
      tooLow: 'Many sessions due at once start one after another.',
      tooHigh: 'A burst of starts chokes the engine.',
    }).optional(),
    stopGrace: duration({
      about: 'From SIGTERM to SIGKILL.',
      min: '0ms',
      max: '10m',
      tooLow: 'Runs are killed while they close their database.',
      tooHigh: 'Runs that ignore SIGTERM hold their session that long.',
    }).default(toMs('10s')),
    killWait: duration({
      about: 'From SIGKILL to quarantine of the session.',
      min: '100ms',
      max: '10m',
      tooLow: 'A slow engine makes false alarms.',
      tooHigh: 'A run that cannot be killed is reported late.',
    }).default(toMs('10s')),
    cancelGrace: duration({
      about: 'From a cancel request to stopping the run that ignores it.',
      min: '0ms',
      max: '10m',
      tooLow: "Cancelling one message ends its run, and the run's other work is tried again.",
      tooHigh: 'A cancelled message works on that long.',
    }).default(toMs('10s')),
    idleStop: duration({
      about: 'A run with nothing to do is stopped after this long; a group may say otherwise.',
      min: '0ms',
      max: '7d',
      tooLow: 'Every message pays for a start.',
      tooHigh: 'Idle runs hold memory and places below `runs.max`.',
    }).default(toMs('5m')),
  })
  .prefault({})

const spawnSchema = z
  .strictObject({
    base: duration({
      about: 'Wait after the first failed start; doubles with each.',
      min: '100ms',
      max: '1h',
      tooLow: 'A broken image is started again and again.',
      tooHigh: 'A passing error costs minutes.',
    }).default(toMs('5s')),
    max: duration({
      about: 'Longest wait between two starts.',
      min: '100ms',
      max: '1d',
      tooLow: 'A broken image is started again and again.',
      tooHigh: 'A mended image is noticed late.',
    }).default(toMs('5m')),
    tellAfter: count({
      about: 'The user is told in the session after this many failed starts in a row.',
      unit: 'failures',
      min: 1,
      max: 100,
      tooLow: 'A passing error alarms people.',
      tooHigh: 'People wait without knowing why.',
    }).default(3),
  })
  .prefault({})

const providerSchema = z
  .strictObject({
    maxPark: duration({
      about:
        'An account whose provider is in trouble is looked at again after this long, whatever end the run has named.',
      min: '1s',
      max: '31d',
      tooLow: 'A limit that lasts longer is probed again and again.',
      tooHigh: 'A run that names an absurd end parks its account that long.',
    }).default(toMs('1d')),
    wait: duration({
      about: 'How long an account is parked when no end is named; doubles with each probe that fails.',
      min: '100ms',
      max: '1d',
      tooLow: 'A provider in trouble is pressed.',
      tooHigh: 'A short outage costs that long.',
    }).default(toMs('1m')),
    maxWait: duration({
      about: 'Longest such wait.',
      min: '100ms',
      max: '31d',
      tooLow: 'A long outage is probed often.',
      tooHigh: 'The end of a long outage is noticed late.',
    }).default(toMs('30m')),
    ramp: count({
      about: 'Sessions of the account that may work at once after a probe that was answered; doubles with each answer.',
      unit: 'sessions',
      min: 1,
      max: 10_000,
      tooLow: 'A pile of work takes some turns longer to get going.',
      tooHigh: 'All sessions at once run into the limit again.',
    }).default(1),
  })
  .prefault({})

const sweepSchema = z
  .strictObject({
    interval: duration({
      about: 'Time between two sweeps, the safety net behind the events.',
      min: '1s',
      max: '1h',
      tooLow: 'Idle cost rises.',
      tooHigh: 'What an event failed to tell is noticed late.',
    }).default(toMs('60s')),
    concurrency: count({
      about: 'Sessions looked after at once.',
      unit: 'sessions',
      min: 1,
      max: 1_000,
      tooLow: 'One slow mailbox delays others.',
      tooHigh: 'A sweep takes the whole machine.',
    }).default(16),
  })
  .prefault({})

const mailboxSchema = z
  .strictObject({
    windowMessages: count({
      about: 'Messages a run sees at once.',
      unit: 'messages',
      min: 1,
      max: 10_000,
      tooLow: 'Batches are small and a fast run waits.',
      tooHigh: 'Every change rewrites a large file.',
    }).default(32),
    window: size({
      about: 'Size of the messages a run sees at once; at least `limits.text`.',
      min: '64KiB',
      max: '256MiB',
      tooLow: 'Batches of long messages are small.',
      tooHigh: 'Every change rewrites a large file.',
    }).default(toBytes('8MiB')),
    takeRows: count({
      about: 'Rows taken from a run in one look.',
      unit: 'rows',
      min: 1,
      max: 100_000,
      tooLow: 'A talkative run is read in many looks.',
      tooHigh: 'One look blocks a reader for long.',
    }).default(256),
    take: size({
      about: `Bytes taken from a run in one look; at least ${formatSize(PROTOCOL_LIMITS.contentBytes)}, the longest row.`,
      min: formatSize(PROTOCOL_LIMITS.contentBytes),
      max: '256MiB',
      tooLow: 'A talkative run is read in many looks.',
      tooHigh: 'One look takes that much memory.',
    }).default(toBytes('8MiB')),
    readTimeout: duration({
      about: 'A look at a mailbox is ended after this.',
      min: '100ms',
      max: '1m',
      tooLow: 'A slow disk looks like a hostile run.',
      tooHigh: 'A hostile run holds a reader that long.',
    }).default(toMs('2s')),
    readers: count({
      about: 'Processes that read mailboxes.',
      unit: 'processes',
      min: 1,
      max: 64,
      tooLow: 'One hostile run delays the replies of others.',
      tooHigh: 'Each costs memory.',
    }).default(2),
    poll: duration({
      about: 'Fallback look (a stat) at running mailboxes where file notifications do not arrive.',
      min: '50ms',
      max: '1m',
      tooLow: 'Idle cost rises.',
      tooHigh: 'Replies come late where notifications do not arrive.',
    }).default(toMs('1s')),
  })
  .prefault({})

const limitsSchema = z
  .strictObject({
    text: size({
      about: 'Longest text of a message.',
      min: '1KiB',
      max: formatSize(PROTOCOL_LIMITS.contentBytes - 64 * 1024),
      tooLow: 'Long messages are refused.',
      tooHigh: 'Long messages crowd a run’s window.',
    }).default(toBytes('1MiB')),
    diskFloor: size({
      about: 'Free space below which nothing new is accepted and no run starts, so that runs at work can still finish.',
      min: '0B',
      max: '1048576GiB',
      tooLow: 'A full disk stops work half-way.',
      tooHigh: 'Messages are refused, and wait, although there is room.',
    }).default(toBytes('256MiB')),
  })
  .prefault({})

const shutdownSchema = z
  .strictObject({
    drain: duration({
      about:
        'From SIGTERM to the end of the host. Running work may finish until `runs.stopGrace` before that; what is left is stopped then. More than `runs.stopGrace`, or `0ms`: no time at all.',
      min: '0ms',
      max: '1h',
      tooLow: 'Work is cut off at every restart, and tried again.',
      tooHigh: 'Restarts take long.',
    }).default(toMs('20s')),
    stopTimeout: duration({
      about:
        'What your service manager allows between SIGTERM and SIGKILL (systemd: 90 s, Kubernetes: 30 s, `docker stop`: 10 s). Changes nothing there: `shutdown.drain` + `runs.stopGrace` + `runs.killWait` are held below it, so that the manager never kills a host that is still closing.',
      min: '1s',
      max: '2h',
      tooLow: 'Nothing fits below it.',
      tooHigh: 'If it is more than the manager allows, the host is killed while it closes; the next start recovers.',
    }).default(toMs('90s')),
  })
  .prefault({})

const logSchema = z
  .strictObject({
    level: oneOf({
      about: 'Least level written to the log.',
      words: ['debug', 'info', 'warn', 'error', 'silent'],
    }).default('info'),
  })
  .prefault({})

/** The whole configuration as people write it. */
export const hostSchema = z.strictObject({
  dataDir: text({
    about:
      'Where everything is kept; relative paths start at the configuration file. A local disk, not a network share.',
    unit: 'path',
    rule: 'must be a path without NUL',
    cure: "Write it as './.sessiond' or '/var/lib/sessiond'.",
    accepts: (value) => value !== '' && !value.includes('\0'),
  }).default('./.sessiond'),
  timeZone: timeZone('IANA zone of groups that name none.', '`UTC`').default('UTC'),
  api: apiSchema,
  groups: z.record(z.string(), groupSchema),
  sinks: z.record(z.string(), sinkSchema).default({}),
  mounts: mountsSchema,
  docker: dockerSchema,
  runs: runsSchema,
  spawn: spawnSchema,
  stuck: hostStuckSchema,
  retry: hostRetrySchema,
  provider: providerSchema,
  retention: hostRetentionSchema,
  cleaning: cleaningSchema,
  sweep: sweepSchema,
  mailbox: mailboxSchema,
  limits: limitsSchema,
  shutdown: shutdownSchema,
  log: logSchema,
})

export type ParsedOptions = z.output<typeof hostSchema>

function isPlainUrl(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}
