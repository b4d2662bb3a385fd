import type { LivenessObservation } from '../decide/decide-liveness.ts'

/** A process of a run, as the runtime saw it. Names only: arguments may hold what nobody should read (G10). */
export interface RunProcess {
  readonly pid: number
  /** At most 64 characters. */
  readonly name: string
  /** The OS's one-letter state: R running, S asleep, D waiting for a disk, T stopped, Z dead. */
  readonly state: string
  readonly cpuMs: number | null
  readonly memoryBytes: number | null
}

/**
 * What a run was like when it was judged stuck, kept for whoever asks why; taken before the first signal. Null: could
 * not be seen in time, which holds up no kill.
 */
export interface BlackBox {
  readonly takenAtMs: number
  /** At most 64. */
  readonly processes: readonly RunProcess[] | null
  /** Used since it began. */
  readonly activity: { readonly cpuMs: number; readonly ioBytes: number; readonly processes: number } | null
  /** The last of what it printed, at most 4 KiB. */
  readonly output: string | null
  readonly clocks: LivenessObservation
  /** Bytes of its workspace and of what it writes to the mailbox; `isWhole` false: there was more than was counted. */
  readonly disk: { readonly bytes: number; readonly files: number; readonly isWhole: boolean } | null
}
