import type { ArtifactClass } from '../model/artifact.ts'
import type { CleaningPolicy, RowRetention } from '../model/retention.ts'
import type { ResolvedMount, RunLimits } from '../runtime/runtime.ts'

/** How a group's text becomes work: the bundled command agent, or a runner program of the group's own. */
export type AgentConfig =
  | {
      readonly kind: 'command'
      readonly command: readonly string[]
      readonly per: 'message' | 'batch'
      readonly timeoutMs: number
      readonly maxReplyBytes: number
    }
  | { readonly kind: 'runner'; readonly command: readonly string[] }

export interface GroupConfig {
  readonly name: string
  readonly agent: AgentConfig
  readonly runtime: 'process' | 'docker'
  /** Docker only. */
  readonly image: string | null
  readonly network: string
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly environment: Readonly<Record<string, string>>
  /** As configured: absolute, lexically below a root; runtime/ resolves links and checks again before every start. */
  readonly mounts: readonly ResolvedMount[]
  readonly limits: RunLimits
  /** IANA zone. */
  readonly timeZone: string
  /** Names of sinks besides the event stream. */
  readonly sinks: readonly string[]
  readonly stuck: StuckPolicy
  readonly retry: RetryPolicy
  /** A run with nothing to do is stopped after this long. */
  readonly idleStopMs: number
  /** What its sessions use together and the provider of their model limits as one. */
  readonly account: string
  readonly retention: RetentionPolicy
}

/** Classes of files that every session may have; where they lie is told in retention/shipped-classes.ts. */
export const FILE_CLASSES = [
  'transcripts',
  'debugLogs',
  'todos',
  'telemetry',
  'groupLogs',
  'runLogs',
  'recordings',
  'setAside',
  'attachments',
  'files',
] as const
export type FileClass = (typeof FILE_CLASSES)[number]

/** What stays of a class of files; null: that bound removes nothing. */
export interface FileBounds {
  readonly maxAgeMs: number | null
  readonly maxCount: number | null
  readonly maxBytes: number | null
  /** Names that stay besides those the class itself keeps. */
  readonly keep: readonly string[]
}

/** How long what sessions leave behind is kept: the figures. `rulesFor` makes rules of them. */
export interface RetentionPolicy {
  /** Null: the class is switched off, nothing of it is ever removed. */
  readonly files: Readonly<Record<FileClass, FileBounds | null>>
  readonly rows: RowRetention
  readonly closedSessionsMs: number | null
  readonly archivesMs: number | null
  /** Classes of one's own: of the group, or in `HostConfig.defaults` those of the host, which no group repeats. */
  readonly artifacts: readonly ArtifactClass[]
}

/** When a silent run counts as stuck. `default` keeps its clocks apart; `classic` is the seed's judgement by the heartbeat. */
export interface StuckPolicy {
  readonly policy: 'default' | 'classic'
  /** Never a beat since it was let go. */
  readonly startMs: number
  /** No beat. */
  readonly frozenMs: number
  /** Past what a tool declared. */
  readonly toolGraceMs: number
  /** A declared time-out counts up to this; for `classic` it widens both windows. */
  readonly maxToolTimeoutMs: number
  /** A tool that declared nothing and neither computes nor transfers. */
  readonly toolSilentMs: number
  /** The same where activity cannot be seen. */
  readonly toolBlindMs: number
  /** No progress, whatever it computes. */
  readonly busyCeilingMs: number
  /** A model that was asked, and of which nothing is heard. */
  readonly modelSilentMs: number
  /** The same while its keep-alives come. */
  readonly modelPingingMs: number
  /** How long a provider's own "not now" is honoured. */
  readonly maxWaitMs: number
  /** A claim with nothing open and nothing moving. */
  readonly silentMs: number
  /** Due work in the mailbox, and no claim. */
  readonly deafMs: number
  /** First fit wins. */
  readonly tools: readonly ToolOverride[]
  /** `classic`: a claim with no heartbeat since it was made is silent after this long. */
  readonly claimSilentMs: number
  /** `classic`: no heartbeat at all for this long ends a run, whatever it does. */
  readonly ceilingMs: number
}

/** What holds for tools of a name instead; null: what holds for all. */
export interface ToolOverride {
  /** `*` stands for any text. */
  readonly pattern: string
  readonly silentMs: number | null
  readonly busyCeilingMs: number | null
}

export interface RetryPolicy {
  readonly maxTries: number
  /** Wait after a failed try: baseMs x 2^(tries spent before it), at most maxMs. */
  readonly baseMs: number
  readonly maxMs: number
  readonly jitter: 'none' | 'full'
  /** `retry_at` of an agent is honoured up to this far ahead. */
  readonly maxDeferMs: number
}

/** How an account is held back whose provider is in trouble. */
export interface ProviderPolicy {
  /** Whatever end a run names, it is looked at again after this long. */
  readonly maxParkMs: number
  /** Parked this long when no end is named: waitMs x 2^(parks in a row before), at most maxWaitMs. */
  readonly waitMs: number
  readonly maxWaitMs: number
  /** Sessions that may work at once after a probe that was answered; doubles with each that is. */
  readonly ramp: number
  /** An allowance of this many bounds nothing: there are no more places. */
  readonly openFrom: number
}

export interface SpawnPolicy {
  readonly baseMs: number
  readonly maxMs: number
  /** The user is told after this many failures in a row. */
  readonly tellAfter: number
}

export interface WebhookConfig {
  readonly name: string
  readonly url: string
  /** Key of the HMAC-SHA-256 signature; null: unsigned. */
  readonly secret: string | null
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly baseMs: number
  readonly maxMs: number
  /** Deliveries under way to this sink at once. */
  readonly concurrency: number
}

/** A folder of the host from which groups may mount; nothing outside the roots is ever mounted. */
export interface MountRoot {
  /** Absolute; symbolic links not yet resolved. */
  readonly path: string
  /** True: a group may ask for a writable mount below it. */
  readonly writable: boolean
}

/** The whole configuration, complete and checked, in ms and bytes. Made by compileConfig alone. */
export interface HostConfig {
  /** Absolute. */
  readonly dataDir: string
  readonly timeZone: string
  readonly api: {
    readonly host: string
    /** 0: any free port. */
    readonly port: number
    readonly maxBodyBytes: number
    /** Requests per second and client address, with a burst of the same size. */
    readonly requestsPerSecond: number
    /** Extra Host header values accepted besides loopback names. */
    readonly allowedHosts: readonly string[]
  }
  readonly groups: ReadonlyMap<string, GroupConfig>
  readonly sinks: ReadonlyMap<string, WebhookConfig>
  readonly mounts: { readonly roots: readonly MountRoot[] }
  readonly docker: {
    readonly socketPath: string | null
    readonly callTimeoutMs: number
    /** `mounted`: bring the host's own Node into the container; `image`: use the image's. */
    readonly node: 'mounted' | 'image'
  }
  readonly runs: {
    /** Running plus starting runs of all groups. */
    readonly max: number
    /** Starts under way at once. */
    readonly maxStarting: number
    /** From SIGTERM to SIGKILL: long enough to close a database. */
    readonly stopGraceMs: number
    /** From SIGKILL to quarantine. */
    readonly killWaitMs: number
    /** From a cancel request to stopping the run that ignores it. */
    readonly cancelGraceMs: number
  }
  /** The host-wide values groups build on; also judge what is left of a group that has left the configuration. */
  readonly defaults: {
    readonly stuck: StuckPolicy
    readonly retry: RetryPolicy
    readonly idleStopMs: number
    readonly retention: RetentionPolicy
  }
  readonly cleaning: CleaningPolicy
  readonly spawn: SpawnPolicy
  readonly provider: ProviderPolicy
  readonly sweep: {
    readonly intervalMs: number
    /** Sessions of one runtime reconciled at once. */
    readonly concurrency: number
  }
  readonly mailbox: {
    readonly windowMessages: number
    readonly windowBytes: number
    readonly takeRows: number
    readonly takeBytes: number
    /** A look at a mailbox is killed after this. */
    readonly readTimeoutMs: number
    readonly readers: number
    /** Stat fallback where notifications do not arrive. */
    readonly pollMs: number
  }
  readonly limits: {
    readonly textBytes: number
    readonly diskFloorBytes: number
  }
  readonly shutdown: {
    /** How long running work may finish before its run is stopped. */
    readonly drainMs: number
  }
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  }
}
