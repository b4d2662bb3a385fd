/** Ids and figures of the situation, for programs; never message bodies or environment values. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/**
 * Every code an operational failure of sessiond can carry, with what a person should do about it. `retryable`:
 * the same call may succeed later without anyone changing anything. docs/errors.md is held to this table.
 */
export const ERROR_CATALOGUE = {
  CONFIG_INVALID: { retryable: false, cure: 'Correct the named options; docs/configuration.md lists every one.' },
  CONFIG_EXISTS: { retryable: false, cure: 'Edit the file that is there, or move it away first.' },
  CONFIG_NOT_FOUND: { retryable: false, cure: 'Run `sessiond init` here, or name the file with --config.' },
  DATA_DIR_LOCKED: { retryable: false, cure: 'Stop the named holder, or use another dataDir.' },
  DATA_DIR_UNUSABLE: { retryable: false, cure: 'Make the directory writable for the user who runs sessiond.' },
  DATA_DIR_NEWER: { retryable: false, cure: 'Run the sessiond version that wrote it, or a newer one.' },
  DATA_DIR_COPIED: {
    retryable: false,
    cure: 'If this one takes the place of that, move that one away; to keep both, give this one an install id of its own: `sessiond doctor --new-install-id`.',
  },
  DISK_FULL: {
    retryable: true,
    cure: 'Free space on the disk that holds the data directory; nothing acknowledged is lost.',
  },
  STORE_BROKEN: { retryable: false, cure: 'Run `sessiond doctor`; restore store.db from a backup if it is damaged.' },
  STORE_BUSY: { retryable: true, cure: 'Another program holds the store; try again once it has finished.' },
  HOST_NOT_RUNNING: { retryable: true, cure: 'Start it with `sessiond up`.' },
  HOST_UNRESPONSIVE: {
    retryable: true,
    cure: "Try again; if it repeats, run `sessiond doctor` and read the host's log.",
  },
  HOST_STARTING: { retryable: true, cure: 'Try again in a moment: it takes stock of what an earlier host left.' },
  HOST_STOPPING: { retryable: true, cure: 'Send again once the host is back.' },
  UNAUTHORIZED: { retryable: false, cure: 'Use the token from the file api-token in the data directory.' },
  HOST_NOT_ALLOWED: {
    retryable: false,
    cure: 'Use http://127.0.0.1 with the port, or add the name to api.allowedHosts.',
  },
  MEDIA_TYPE_REFUSED: { retryable: false, cure: 'Send JSON with Content-Type: application/json.' },
  INTERNAL: { retryable: false, cure: "Look the errorId up in the host's log and report what stands there." },
  BAD_REQUEST: { retryable: false, cure: 'Correct the named field.' },
  NOT_FOUND: { retryable: false, cure: 'List what there is with `sessiond sessions`.' },
  RATE_LIMITED: { retryable: true, cure: 'Wait as long as Retry-After says.' },
  BODY_TOO_LARGE: { retryable: false, cure: 'Send less, or raise api.maxBody.' },
  GROUP_UNKNOWN: { retryable: false, cure: 'Use a group of the configuration, or add this one.' },
  SESSION_NAME_INVALID: {
    retryable: false,
    cure: 'Use 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit.',
  },
  SESSION_NAME_CLASH: { retryable: false, cure: 'Use the existing spelling: names differ by more than case.' },
  SESSION_NOT_FOUND: { retryable: false, cure: 'List sessions with `sessiond sessions`.' },
  SESSION_CLOSED: { retryable: false, cure: 'Send to another session name; a closed one stays closed.' },
  MESSAGE_ID_INVALID: {
    retryable: false,
    cure: 'Use 1 to 128 letters, digits and . _ : @ - , beginning with a letter or digit.',
  },
  MESSAGE_ID_CONFLICT: { retryable: false, cure: 'Use a new id: this one belongs to another message.' },
  MESSAGE_NOT_FOUND: { retryable: false, cure: 'List messages with `sessiond show <session>`.' },
  MESSAGE_NOT_OPEN: { retryable: false, cure: 'Nothing to do: the message has already ended.' },
  MESSAGE_NOT_DEAD: { retryable: false, cure: 'Only dead letters can be replayed or dropped: `sessiond dead list`.' },
  TEXT_EMPTY: { retryable: false, cure: 'Send at least one visible character.' },
  TEXT_TOO_LARGE: { retryable: false, cure: 'Shorten the text, put it in a file, or raise limits.text.' },
  TEXT_NOT_UTF8: { retryable: false, cure: 'Convert the input to UTF-8.' },
  TIME_INVALID: {
    retryable: false,
    cure: 'Use an instant with its zone, such as 2030-01-31T09:00:00+01:00, or a span such as 10m.',
  },
  TIME_INCOMPLETE: { retryable: false, cure: 'Name the day and the time of day.' },
  TIME_AMBIGUOUS: { retryable: false, cure: 'Write one of the readings the message names.' },
  TIME_SKIPPED: { retryable: false, cure: 'Write a local time before or after the one the clocks skip.' },
  TIME_WITHOUT_ZONE: { retryable: false, cure: 'Add the zone: Z, or an offset such as +01:00.' },
  TIME_IN_PAST: { retryable: false, cure: 'Leave the time out to send at once, or name one to come.' },
  TIME_TOO_FAR: { retryable: false, cure: 'Name an instant within the next ten years.' },
  ZONE_INVALID: { retryable: false, cure: 'Use an IANA name, such as Europe/Berlin.' },
  SCHEDULE_INVALID: { retryable: false, cure: 'Correct the schedule; `--dry-run` shows what it comes to.' },
  SERIES_NOT_FOUND: { retryable: false, cure: 'List tasks with `sessiond tasks`.' },
  SERIES_ID_CONFLICT: { retryable: false, cure: 'Use a new id: this one belongs to another task.' },
  SERIES_NOT_OPEN: { retryable: false, cure: 'Nothing to do: the task has ended, or is in that state already.' },
  SERIES_LIVE: { retryable: true, cure: 'Wait until its occurrence has ended, or cancel that message first.' },
  INVALID_RECORDING: {
    retryable: false,
    cure: 'Give a recording: one JSON object a line, as docs/recordings.md describes them.',
  },
  SESSION_ARCHIVED: { retryable: false, cure: 'Unpack the named archive elsewhere and look there.' },
  RUN_NOT_FOUND: { retryable: false, cure: 'List runs with `sessiond runs <session>`.' },
  RUNTIME_UNREACHABLE: { retryable: true, cure: 'Start the container engine, or check docker.socketPath.' },
  RUNTIME_REFUSED: { retryable: true, cure: "Read the engine's own words in this message." },
  IMAGE_MISSING: { retryable: false, cure: 'Pull, build or import the image the group names.' },
  RUN_NAME_TAKEN: {
    retryable: true,
    cure: 'A container of this name exists; the next sweep removes it if it is ours.',
  },
  COMMAND_NOT_FOUND: { retryable: false, cure: "Install the program, or correct the group's command." },
  MOUNT_REFUSED: { retryable: false, cure: 'Add the folder to mounts.roots, or mount one below a root.' },
  MAILBOX_TORN: { retryable: true, cure: 'Nothing to do: the mailbox is rebuilt from the store.' },
  MAILBOX_TIMEOUT: {
    retryable: true,
    cure: 'Nothing to do: the mailbox is read again; look at the run if it repeats.',
  },
  MAILBOX_BUSY: { retryable: true, cure: 'Nothing to do: the mailbox is tried again.' },
  REFERENCES_UNREADABLE: {
    retryable: true,
    cure: 'Nothing is pruned until what active sessions reference can be read.',
  },
  REFERENCES_IMPLAUSIBLE: {
    retryable: false,
    cure: 'Nothing is pruned while there are files of sessions, but no session is on record. Look whether this is the right folder.',
  },
  PRUNE_FAILED: { retryable: true, cure: 'Nothing to do: the next pruning goes on from where this one broke off.' },
  PRUNE_BUSY: { retryable: true, cure: 'Wait until the other pruning has ended.' },
  INSTALLATION_UNREADABLE: {
    retryable: false,
    cure: 'Name the root folder of an installation of this layout, readable for this user.',
  },
  MAILBOX_UNSAFE: { retryable: false, cure: 'The run replaced a mailbox file; stop the session and look at its log.' },
} as const satisfies Record<string, { retryable: boolean; cure: string }>

export type ErrorCode = keyof typeof ERROR_CATALOGUE

/**
 * An operational failure: expected in kind, named by a stable `code`. The message says what happened and what
 * to do; `fields` carry the ids. Compare `code`, not the class, across processes.
 */
export class SessiondError extends Error {
  override readonly name = 'SessiondError'
  readonly code: ErrorCode
  readonly fields: ErrorFields
  /** The message without its cure. */
  readonly what: string
  readonly cure: string

  constructor(code: ErrorCode, what: string, options: { fields?: ErrorFields; cause?: unknown; cure?: string } = {}) {
    const cure = options.cure ?? ERROR_CATALOGUE[code].cure
    super(`${what} ${cure}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? {}
    this.what = what
    this.cure = cure
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable
  }
}

/** Tells whether `error` is a SessiondError of one of these codes. */
export function hasCode<Code extends ErrorCode>(
  error: unknown,
  ...codes: Code[]
): error is SessiondError & { readonly code: Code } {
  return error instanceof SessiondError && codes.some((code) => code === error.code)
}
