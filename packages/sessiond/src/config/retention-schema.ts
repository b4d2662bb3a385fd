import { z } from 'zod'
import { patternFault } from './artifact-pattern.ts'
import type { FileClass } from './config.ts'
import { count, duration, type Leaf, leaf, list, orNull, size, text, toBytes, toMs } from './leaf.ts'

/** What is lost, and what is won, by bounds of a class. */
interface Words {
  /** Begins a sentence. */
  readonly what: string
  readonly tooLow: string
  readonly tooHigh: string
  /** Names that always stay, whatever is configured. */
  readonly kept?: string
}

const CLASS_WORDS: Readonly<Record<FileClass, Words>> = {
  transcripts: {
    what: "Transcripts of agents' conversations, with the results of their tools",
    tooLow: 'A conversation that pauses cannot be looked up any more.',
    tooHigh: 'Every conversation ever had fills the disk.',
    kept: '`memory`',
  },
  debugLogs: {
    what: "Agents' debug logs",
    tooLow: 'The cause of a failure is no longer there.',
    tooHigh: 'Debug logs fill the disk faster than anything else.',
    kept: '`latest`',
  },
  todos: {
    what: "Agents' lists of what to do",
    tooLow: 'A conversation that pauses has lost its list.',
    tooHigh: 'Small files pile up by the thousand.',
  },
  telemetry: {
    what: 'Telemetry that agents could not send',
    tooLow: 'What an outage held back is never sent.',
    tooHigh: 'Where nobody takes it, it fills the disk.',
  },
  groupLogs: {
    what: 'Log files (`*.log`) in the `logs` folder of the workspace',
    tooLow: 'The cause of a failure is no longer there.',
    tooHigh: 'Logs fill the disk.',
  },
  runLogs: {
    what: "Logs of runs (`sessiond logs`), a live run's excepted",
    tooLow: 'The cause of a failure is no longer there.',
    tooHigh: 'Runs that come often fill the disk.',
  },
  recordings: {
    what: "Recordings and black boxes of runs, a live run's excepted",
    tooLow: 'Why a run was taken for stuck cannot be replayed.',
    tooHigh: 'Small files pile up by the thousand.',
  },
  setAside: {
    what: 'Mailboxes of runs that could not be read and were put aside',
    tooLow: 'What was wrong with them cannot be looked at.',
    tooHigh: 'A run that breaks its mailbox on purpose fills the disk.',
  },
  attachments: {
    what: 'Attachments of messages, those of a session with open work excepted',
    tooLow: 'An agent that looks back does not find them.',
    tooHigh: 'Attachments fill the disk.',
  },
  files: {
    what: 'Files that runs handed over, those of a session with open work or an undelivered reply excepted',
    tooLow: 'Whoever fetches them late finds nothing.',
    tooHigh: 'Files fill the disk.',
  },
}

type BoundWords = Omit<Words, 'kept'> & { readonly kept?: string | undefined }

/** The same bounds for shipped and for custom classes. */
function boundLeaves({ what, tooLow, tooHigh, kept }: BoundWords) {
  return {
    age: orNull(
      duration({
        about: `${what}: removed when last written this long ago; \`null\`: age alone removes none.`,
        min: '1m',
        max: '3650d',
        tooLow,
        tooHigh,
      }),
    ),
    count: orNull(
      count({
        about: 'At most this many of a group stay, newest first; `null`: any number.',
        unit: 'number',
        min: 1,
        max: 1_000_000_000,
        tooLow,
        tooHigh,
      }),
    ),
    size: orNull(
      size({
        about: 'At most this much of a group stays, newest first; `null`: any size.',
        min: '1KiB',
        max: '1048576GiB',
        tooLow,
        tooHigh,
      }),
    ),
    keep: names(
      kept === undefined
        ? 'Names that are never removed: of files, and of folders with what is in them.'
        : `Names that are never removed, besides ${kept}: of files, and of folders with what is in them.`,
    ),
  }
}

function names(about: string): Leaf<readonly string[]> {
  return list({
    about,
    unit: 'list of names',
    rule: "must be a list of whole names, without '/', '*' and braces",
    cure: "Write it as ['latest']; what is not a pattern of the class stays anyway.",
    accepts: (items) => items.every((item) => !/[/*{}]/.test(item) && !['', '.', '..'].includes(item)),
  })
}

interface Defaults {
  readonly age: string
  readonly size?: string
}

/** Bounds of a shipped class on the host: complete, or null. */
function hostClass(name: FileClass, defaults: Defaults) {
  const { age, count, size, keep } = boundLeaves(CLASS_WORDS[name])
  return z
    .strictObject({
      age: age.default(toMs(defaults.age)),
      count: count.default(null),
      size: size.default(defaults.size === undefined ? null : toBytes(defaults.size)),
      keep: keep.default([]),
    })
    .nullable()
    .prefault({})
}

/** The same of a group: what is left out comes from the host. */
function groupClass(name: FileClass) {
  const { age, count, size, keep } = boundLeaves(CLASS_WORDS[name])
  return z
    .strictObject({ age: age.optional(), count: count.optional(), size: size.optional(), keep: keep.optional() })
    .nullable()
    .optional()
}

const rows = {
  messages: orNull(
    duration({
      about: 'Messages go this long after they have ended, dead letters excepted; `null`: never.',
      min: '1h',
      max: '3650d',
      tooLow: 'A sender that repeats an id after that has its message worked on again.',
      tooHigh: 'The store grows.',
    }),
  ),
  replies: orNull(
    duration({
      about: 'Replies go this long after their last delivery; `null`: never.',
      min: '1h',
      max: '3650d',
      tooLow: 'Whoever reads the event stream late misses replies.',
      tooHigh: 'The store grows.',
    }),
  ),
  deadLetters: orNull(
    duration({
      about: 'Dead letters that nobody has replayed or dropped go after this long; `null`: never.',
      min: '1h',
      max: '3650d',
      tooLow: 'Failed work is gone before anyone has looked at it.',
      tooHigh: 'What nobody will ever replay is kept.',
    }),
  ),
  journal: orNull(
    duration({
      about:
        'Lines of the journal go after this long, those of dead letters and of messages that have not ended excepted; `null`: never.',
      min: '1h',
      max: '3650d',
      tooLow: '`sessiond why` has nothing to tell.',
      tooHigh: 'The store grows.',
    }),
  ),
  runs: orNull(
    duration({
      about: 'Runs go this long after their end, the newest of each session excepted; `null`: never.',
      min: '1h',
      max: '3650d',
      tooLow: '`sessiond runs` has nothing to tell.',
      tooHigh: 'The store grows.',
    }),
  ),
  ledger: orNull(
    duration({
      about:
        'Occurrences of a task are told one by one this long after their end, then summed up by how they ended; a task that has ended goes; `null`: never.',
      min: '1d',
      max: '3650d',
      tooLow: '`sessiond tasks` tells only sums of what was lately.',
      tooHigh: 'The store grows.',
    }),
  ),
  sessions: orNull(
    duration({
      about:
        'A closed session is forgotten this long after it was archived, and 30d after its archive has gone at the earliest, when nothing of it is left: its name is free again then; `null`, or where archives stay: never.',
      min: '1d',
      max: '3650d',
      tooLow: 'Whoever writes to it late begins a new session of its name.',
      tooHigh: 'The store grows with every session there ever was.',
    }),
  ),
}

const closing = {
  closedSessions: orNull(
    duration({
      about: "A closed session's folder is packed into an archive, then removed, after this long; `null`: it stays.",
      min: '1m',
      max: '3650d',
      tooLow: 'A session closed by mistake must be taken from its archive.',
      tooHigh: 'Workspaces nobody needs fill the disk.',
    }),
  ),
  archives: orNull(
    duration({
      about: 'Archives of closed sessions go after this long; `null`: they stay.',
      min: '1h',
      max: '3650d',
      tooLow: 'Nothing is left of a closed session.',
      tooHigh: 'Archives fill the disk.',
    }),
  ),
}

const custom = boundLeaves({
  what: 'What the patterns name',
  tooLow: 'What is still needed is removed.',
  tooHigh: 'It fills the disk.',
})

const PROTECTIONS = ['id', 'session', 'run', 'work'] as const

/** Classes of one's own by name; the same for the host and a group. */
const artifacts = z
  .record(
    z.string(),
    z.strictObject({
      root: text({
        about:
          'Folder that holds them; nothing outside it is looked at. Relative paths start at the configuration file.',
        unit: 'path',
        absent: "the sessions' folder: `<dataDir>/sessions`, in a group `<dataDir>/sessions/<group>`",
        rule: 'must be a path without NUL, and without a ~ for a home, which only a shell knows',
        cure: 'Name a folder of this machine by its whole path.',
        accepts: (value) => value !== '' && !value.includes('\0') && !/^~(\/|$)/.test(value),
      }).optional(),
      patterns: leaf<readonly string[]>(
        { about: 'What belongs to it, below `root`.', unit: 'list of patterns', absent: 'required' },
        readPatterns,
      ),
      age: custom.age.default(null),
      count: custom.count.default(null),
      size: custom.size.default(null),
      keep: custom.keep.default([]),
      protects: leaf<readonly (typeof PROTECTIONS)[number][]>(
        {
          about:
            'What ties a file to a session so that it stays: an active session references its `{id}`, its session is open, its run is live, its session has open work.',
          unit: 'list of `id`, `session`, `run`, `work`',
          absent: 'what `patterns` can tell, `session` left out',
        },
        readProtections,
      ).optional(),
    }),
  )
  .default({})

/** `retention` of the host: complete. */
export const hostRetentionSchema = z
  .strictObject({
    transcripts: hostClass('transcripts', { age: '7d' }),
    debugLogs: hostClass('debugLogs', { age: '3d' }),
    todos: hostClass('todos', { age: '3d' }),
    telemetry: hostClass('telemetry', { age: '7d' }),
    groupLogs: hostClass('groupLogs', { age: '7d' }),
    runLogs: hostClass('runLogs', { age: '14d', size: '1GiB' }),
    recordings: hostClass('recordings', { age: '14d' }),
    setAside: hostClass('setAside', { age: '14d' }),
    attachments: hostClass('attachments', { age: '14d' }),
    files: hostClass('files', { age: '14d' }),
    messages: rows.messages.default(toMs('30d')),
    replies: rows.replies.default(toMs('30d')),
    deadLetters: rows.deadLetters.default(toMs('90d')),
    journal: rows.journal.default(toMs('30d')),
    runs: rows.runs.default(toMs('90d')),
    ledger: rows.ledger.default(toMs('90d')),
    sessions: rows.sessions.default(toMs('365d')),
    closedSessions: closing.closedSessions.default(toMs('7d')),
    archives: closing.archives.default(toMs('90d')),
    artifacts,
  })
  .prefault({})

/** `retention` of a group: what is left out comes from the host; its own classes come besides the host's. */
export const groupRetentionSchema = z
  .strictObject({
    transcripts: groupClass('transcripts'),
    debugLogs: groupClass('debugLogs'),
    todos: groupClass('todos'),
    telemetry: groupClass('telemetry'),
    groupLogs: groupClass('groupLogs'),
    runLogs: groupClass('runLogs'),
    recordings: groupClass('recordings'),
    setAside: groupClass('setAside'),
    attachments: groupClass('attachments'),
    files: groupClass('files'),
    messages: rows.messages.optional(),
    replies: rows.replies.optional(),
    deadLetters: rows.deadLetters.optional(),
    journal: rows.journal.optional(),
    runs: rows.runs.optional(),
    ledger: rows.ledger.optional(),
    sessions: rows.sessions.optional(),
    closedSessions: closing.closedSessions.optional(),
    archives: closing.archives.optional(),
    artifacts,
  })
  .prefault({})

function readPatterns(value: unknown) {
  const isTexts = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
  if (!isTexts || value.length > 100) {
    return { rule: 'must be a list of 1 to 100 patterns', cure: "Write it as ['{session}/work/tmp/**/*']." }
  }
  const patterns: readonly string[] = [...value]
  for (const [index, pattern] of patterns.entries()) {
    const fault = patternFault(pattern)
    if (fault !== undefined) return { rule: `${fault.rule} (${JSON.stringify(pattern)})`, cure: fault.cure }
    if (patterns.indexOf(pattern) !== index) {
      return { rule: `holds ${JSON.stringify(pattern)} twice`, cure: 'Leave the second out.' }
    }
  }
  return { value: patterns }
}

function readProtections(value: unknown) {
  const words = Array.isArray(value) ? PROTECTIONS.filter((word) => value.includes(word)) : []
  if (Array.isArray(value) && words.length === value.length) return { value: words }
  return {
    rule: `must be a list of ${PROTECTIONS.join(', ')}, each at most once`,
    cure: "Write it as ['id'], or [] where nothing protects.",
  }
}
