/** Milliseconds, or text such as `'250ms'`, `'30m'`, `'1h30m'`. */
export type DurationOption = number | string

/** Bytes, or text such as `'64KiB'`, `'2MiB'`. */
export type SizeOption = number | string

/** A text that may be a secret: given plainly, or by the name of the host's variable that holds it. */
export type SecretOption = string | { readonly fromEnv: string }

/** When a silent run counts as stuck; docs/configuration.md says what each means. */
export interface StuckOptions {
  readonly policy?: 'default' | 'classic'
  readonly start?: DurationOption
  readonly frozen?: DurationOption
  readonly toolGrace?: DurationOption
  readonly maxToolTimeout?: DurationOption
  readonly toolSilent?: DurationOption
  readonly toolBlind?: DurationOption
  readonly busyCeiling?: DurationOption
  readonly modelSilent?: DurationOption
  readonly modelPinging?: DurationOption
  readonly maxWait?: DurationOption
  readonly silent?: DurationOption
  readonly deaf?: DurationOption
  readonly claimSilent?: DurationOption
  readonly ceiling?: DurationOption
  /** By the tool's name; `*` stands for any text. */
  readonly tools?: Readonly<Record<string, { readonly silent?: DurationOption; readonly busyCeiling?: DurationOption }>>
}

export interface RetryOptions {
  readonly maxTries?: number
  /** The wait after the n-th spent try is this x 2^n. */
  readonly base?: DurationOption
  readonly max?: DurationOption
  readonly jitter?: 'none' | 'full'
  /** An agent's own retry time is honoured up to this far ahead. */
  readonly maxDefer?: DurationOption
}

/** What stays of a class of files; null: that bound removes nothing. At least one bound is set. */
export interface FileBoundsOptions {
  readonly age?: DurationOption | null
  /** At most this many of a group. */
  readonly count?: number | null
  /** At most this much of a group. */
  readonly size?: SizeOption | null
  /** Names that are never removed. */
  readonly keep?: readonly string[]
}

/** A class of files of one's own. */
export interface ArtifactOptions extends FileBoundsOptions {
  /** The sessions' folder when left out. */
  readonly root?: string
  /** Below `root`: `*` within a name, `**` for folders, `{group}`, `{session}`, `{epoch}`, `{id}`; `name/` is a folder. */
  readonly patterns: readonly string[]
  readonly protects?: readonly ('id' | 'session' | 'run' | 'work')[]
}

/** How long what sessions leave behind is kept; null switches a class off. docs/retention.md says what each means. */
export interface RetentionOptions {
  readonly transcripts?: FileBoundsOptions | null
  readonly debugLogs?: FileBoundsOptions | null
  readonly todos?: FileBoundsOptions | null
  readonly telemetry?: FileBoundsOptions | null
  readonly groupLogs?: FileBoundsOptions | null
  readonly runLogs?: FileBoundsOptions | null
  readonly recordings?: FileBoundsOptions | null
  readonly setAside?: FileBoundsOptions | null
  readonly attachments?: FileBoundsOptions | null
  readonly files?: FileBoundsOptions | null
  readonly messages?: DurationOption | null
  readonly replies?: DurationOption | null
  readonly deadLetters?: DurationOption | null
  readonly journal?: DurationOption | null
  readonly runs?: DurationOption | null
  readonly ledger?: DurationOption | null
  readonly sessions?: DurationOption | null
  readonly closedSessions?: DurationOption | null
  readonly archives?: DurationOption | null
  /** By a name of one's own. */
  readonly artifacts?: Readonly<Record<string, ArtifactOptions>>
}

export interface MountOptions {
  /** File or folder of the host, below one of `mounts.roots`. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly writable?: boolean
}

export interface GroupOptions {
  /** The bundled agent: a command that gets the text on stdin and answers on stdout. */
  readonly agent?: {
    readonly command: readonly string[]
    readonly per?: 'message' | 'batch'
    readonly timeout?: DurationOption
    readonly maxReply?: SizeOption
  }
  /** A runner of your own that speaks the mailbox protocol; instead of `agent`. */
  readonly runner?: { readonly command: readonly string[] }
  readonly runtime?: 'process' | 'docker'
  /** Docker only, and required there. */
  readonly image?: string
  /** Docker only: `none`, `bridge` or a network's name. */
  readonly network?: string
  /** Docker only: `uid:gid`, never root. */
  readonly user?: string
  readonly env?: Readonly<Record<string, SecretOption>>
  readonly mounts?: readonly MountOptions[]
  readonly limits?: {
    readonly memory?: SizeOption | null
    readonly processes?: number | null
    readonly cpus?: number | null
    readonly file?: SizeOption | null
    readonly log?: SizeOption
  }
  readonly timeZone?: string
  readonly sinks?: readonly string[]
  readonly stuck?: StuckOptions
  readonly retry?: RetryOptions
  readonly idleStop?: DurationOption
  /** The account of the model's provider its sessions use; the group's own name when left out. */
  readonly account?: string
  readonly retention?: RetentionOptions
}

export interface SinkOptions {
  readonly url: string
  readonly secret?: SecretOption
  readonly timeout?: DurationOption
  readonly maxAttempts?: number
  readonly base?: DurationOption
  readonly max?: DurationOption
  readonly concurrency?: number
}

/**
 * The configuration as people write it: everything but `groups` has a default. docs/configuration.md says of
 * each option its unit, its default, and what too low and too high do.
 */
export interface HostOptions {
  readonly dataDir?: string
  readonly timeZone?: string
  readonly api?: {
    readonly host?: string
    readonly port?: number
    readonly maxBody?: SizeOption
    readonly requestsPerSecond?: number
    readonly allowedHosts?: readonly string[]
  }
  readonly groups: Readonly<Record<string, GroupOptions>>
  readonly sinks?: Readonly<Record<string, SinkOptions>>
  readonly mounts?: { readonly roots?: readonly { readonly path: string; readonly writable?: boolean }[] }
  readonly docker?: {
    readonly socketPath?: string
    readonly callTimeout?: DurationOption
    readonly node?: 'mounted' | 'image'
  }
  readonly runs?: {
    readonly max?: number
    readonly maxStarting?: number
    readonly stopGrace?: DurationOption
    readonly killWait?: DurationOption
    readonly cancelGrace?: DurationOption
    readonly idleStop?: DurationOption
  }
  readonly spawn?: {
    readonly base?: DurationOption
    readonly max?: DurationOption
    readonly tellAfter?: number
  }
  readonly stuck?: StuckOptions
  readonly retry?: RetryOptions
  /** How an account is held back whose provider is in trouble. */
  readonly provider?: {
    readonly maxPark?: DurationOption
    readonly wait?: DurationOption
    readonly maxWait?: DurationOption
    readonly ramp?: number
  }
  readonly retention?: RetentionOptions
  /** When and how hard the host cleans. */
  readonly cleaning?: {
    /** Null: only when asked. */
    readonly every?: DurationOption | null
    readonly budget?: DurationOption
    readonly batch?: number
    /** Used share of the disk; null: never. */
    readonly highWater?: number | null
    readonly trash?: DurationOption
    readonly useTrash?: boolean
  }
  readonly sweep?: { readonly interval?: DurationOption; readonly concurrency?: number }
  readonly mailbox?: {
    readonly windowMessages?: number
    readonly window?: SizeOption
    readonly takeRows?: number
    readonly take?: SizeOption
    readonly readTimeout?: DurationOption
    readonly readers?: number
    readonly poll?: DurationOption
  }
  readonly limits?: { readonly text?: SizeOption; readonly diskFloor?: SizeOption }
  readonly shutdown?: { readonly drain?: DurationOption; readonly stopTimeout?: DurationOption }
  readonly log?: { readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent' }
}

/** Gives a configuration its type; changes nothing. */
export function defineConfig(options: HostOptions): HostOptions {
  return options
}

/** Where this module lies: what `import … from 'sessiond'` in a configuration file is answered with. */
export const OPTIONS_MODULE: string = import.meta.url
