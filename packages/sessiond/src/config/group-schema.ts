import { isAbsolute, posix } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { z } from 'zod'
import { count, duration, flag, type Leaf, leaf, list, oneOf, orNull, size, text, toBytes, toMs } from './leaf.ts'
import type { SecretOption } from './options.ts'
import { groupRetentionSchema } from './retention-schema.ts'
import { groupRetrySchema } from './retry-schema.ts'
import { groupStuckSchema } from './stuck-schema.ts'
import { timeZone } from './time-zone.ts'

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')

const command = (about: string): Leaf<readonly string[]> =>
  list({
    about,
    unit: 'list of text',
    absent: 'required',
    rule: 'must be a list of texts: the program, then its arguments',
    cure: "Write it as ['program', 'argument']; no shell takes it apart. Name a shell yourself if you want one.",
    accepts: ([program]) => program !== undefined && program.trim() !== '',
  })

const agentSchema = z
  .strictObject({
    command: command(
      'Program and arguments the bundled runner runs; the text goes to its stdin, its stdout is the reply.',
    ),
    per: oneOf({
      about: 'One process per message, or one for all messages claimed together.',
      words: ['message', 'batch'],
    }).default('message'),
    timeout: duration({
      about:
        'How long one command may run before the runner ends it; told to the host as how long silence is legitimate.',
      min: '1s',
      max: '7d',
      tooLow: 'Honest work is cut off and tried again.',
      tooHigh: 'A hung command holds its session that long.',
    }).default(toMs('30m')),
    maxReply: size({
      about: 'Longest reply kept; the rest is cut and the reply says so.',
      min: '1KiB',
      max: '1MiB',
      tooLow: 'Replies are cut.',
      tooHigh: 'A runaway command fills the store.',
    }).default(toBytes('256KiB')),
  })
  .optional()

const runnerSchema = z
  .strictObject({
    command: command('A runner program of your own that speaks the mailbox protocol; instead of `agent`.'),
  })
  .optional()

/** Reads a text that may be a secret: given plainly, or by the name of the host's variable that holds it. */
export function secret(doc: { readonly about: string; readonly absent: string }): Leaf<SecretOption> {
  return leaf<SecretOption>({ ...doc, unit: "text or `{ fromEnv: 'NAME' }`" }, (value) => {
    if (isText(value)) return { value }
    if (typeof value === 'object' && value !== null && Object.keys(value).join() === 'fromEnv') {
      const name = (value as { fromEnv: unknown }).fromEnv
      if (isText(name) && name !== '') return { value: { fromEnv: name } }
    }
    return {
      rule: "must be text without NUL, or { fromEnv: 'NAME' }",
      cure: "Write { fromEnv: 'NAME' } to take it from the host's environment and keep it out of this file.",
    }
  })
}

const user = leaf<{ readonly uid: number; readonly gid: number }>(
  {
    about: 'User and group the run gets (docker only; never root).',
    unit: '`uid:gid`',
    absent: "the host's own; `10001:10001` when the host is root",
  },
  (value) => {
    const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(typeof value === 'string' ? value : '') ?? []
    if (Number(uid) > 0 && gid !== undefined) return { value: { uid: Number(uid), gid: Number(gid) } }
    return {
      rule: "must be text such as '1000:1000', and not root",
      cure: 'Write the numbers of a user and its group.',
    }
  },
)

const mountSchema = z.strictObject({
  source: text({
    about: 'File or folder of the host, below one of `mounts.roots`; relative paths start at the configuration file.',
    unit: 'path',
    absent: 'required',
    rule: 'must be a path without NUL',
    cure: 'Name a file or folder below one of mounts.roots.',
    accepts: (value) => value !== '' && isText(value),
  }),
  target: text({
    about: 'Where the run sees it.',
    unit: 'absolute path',
    absent: 'required',
    rule: "must be an absolute path in its plainest form, without ':' and not '/'",
    cure: "Write it as '/name/of/folder'.",
    accepts: (value) =>
      isAbsolute(value) && isText(value) && !value.includes(':') && value !== '/' && posix.resolve(value) === value,
  }),
  writable: flag({ about: 'Lets the run write there; its root must allow it too.' }).default(false),
})

const limitsSchema = z
  .strictObject({
    memory: orNull(
      size({
        about: 'Memory of a run, all its processes together; `null`: no bound.',
        min: '16MiB',
        max: '1048576GiB',
        absent: '`2GiB` with docker, none with process',
        tooLow: 'Runs are killed for want of memory (exit 137).',
        tooHigh: 'One run starves the machine.',
      }),
    ).optional(),
    processes: orNull(
      count({
        about: 'Processes and threads of a run; `null`: no bound.',
        unit: 'number',
        min: 8,
        max: 4_194_304,
        absent: '`512` with docker, none with process',
        tooLow: 'Agents that start helpers fail.',
        tooHigh: 'A fork bomb reaches the machine.',
      }),
    ).optional(),
    cpus: orNull(
      leaf<number>(
        {
          about: 'Processors a run may use, fractions allowed; `null`: no bound.',
          unit: 'number',
          absent: 'none',
          tooLow: 'Agents crawl and are taken for stuck.',
          tooHigh: 'One run slows the others.',
        },
        (value) =>
          typeof value === 'number' && value >= 0.01 && value <= 1024
            ? { value }
            : { rule: 'must be a number from 0.01 to 1024', cure: 'Write it without quotes.' },
      ),
    ).optional(),
    file: orNull(
      size({
        about: 'Largest single file a run may write; `null`: no bound.',
        min: '1MiB',
        max: '1048576GiB',
        tooLow: 'Agents that save large files fail.',
        tooHigh: 'One file fills the disk.',
      }),
    ).default(toBytes('4GiB')),
    log: size({
      about: 'Output kept per run; the oldest is dropped.',
      min: '4KiB',
      max: '1GiB',
      tooLow: 'The cause of a failure is no longer in the log.',
      tooHigh: 'Chatty runs fill the disk.',
    }).default(toBytes('1MiB')),
  })
  .prefault({})

/** One group as people write it. */
export const groupSchema = z.strictObject({
  agent: agentSchema,
  runner: runnerSchema,
  runtime: oneOf({
    about: 'Plain processes of this machine (no wall around them), or containers.',
    words: ['process', 'docker'],
  }).default('process'),
  image: text({
    about: "Image of the group's containers (docker only).",
    unit: 'image reference',
    absent: 'required with docker',
    rule: 'must be an image reference without spaces',
    cure: "Write it as 'name:tag' or 'name@sha256:…'.",
    accepts: (value) => /^[\w][\w.:/@-]{0,254}$/.test(value),
  }).optional(),
  network: text({
    about:
      "Network of the containers (docker only): `none`, `bridge` or a network's name. Agents talk to model APIs, hence `bridge`; `host` takes the wall to the host's own ports away.",
    unit: "network's name",
    absent: '`bridge`',
    rule: "must be a network's name",
    cure: "Write 'none', 'bridge' or the name of a network of the engine.",
    accepts: (value) => /^[A-Za-z0-9][\w.-]{0,127}$/.test(value),
  }).optional(),
  user: user.optional(),
  env: z
    .record(
      z.string(),
      secret({ about: 'Environment of the run, all of it: nothing else of the host gets in.', absent: 'none' }),
    )
    .default({}),
  mounts: z.array(mountSchema).default([]),
  limits: limitsSchema,
  timeZone: timeZone('IANA zone of the group.', "the host's").optional(),
  sinks: list({
    about: 'Names of sinks that get the replies, besides the event stream.',
    unit: 'list of names',
    rule: "must be a list of sinks' names",
    cure: "Write it as ['name'], each one of `sinks`.",
    accepts: () => true,
  }).default([]),
  stuck: groupStuckSchema,
  retry: groupRetrySchema,
  idleStop: duration({
    about: 'A run with nothing to do is stopped after this long.',
    min: '0ms',
    max: '7d',
    absent: '`runs.idleStop`',
    tooLow: 'Every message pays for a start.',
    tooHigh: 'Idle runs hold memory and places below `runs.max`.',
  }).optional(),
  account: text({
    about:
      "The account of the model's provider its sessions use; groups of one account name the same. A rate limit or an outage holds back all sessions of the account and no others: see `provider`.",
    unit: 'name',
    absent: "the group's own name",
    rule: 'must be 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
    cure: 'Choose any such name; it is no secret and no key.',
    accepts: isValidName,
  }).optional(),
  retention: groupRetentionSchema,
})
