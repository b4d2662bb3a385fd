/** What a run used since it was last looked at. */
export interface ActivitySample {
  readonly cpuMs: number
  /** Read and written, files and sockets. */
  readonly ioBytes: number
  readonly processes: number
  /** The time it was used in. */
  readonly overMs: number
}

interface Kept extends ActivitySample {
  readonly atMs: number
}

/**
 * What a run at rest uses: measured on recordings, an agent that waits (garbage collection, keep-alives, telemetry) stays
 * below 2 % of a core and 1.5 KiB a second over half a minute; the least of its tools is above this.
 */
const COMPUTES = 0.04
const TRANSFERS_BYTES_PER_S = 4 * 1024
const WINDOW_MS = 30_000
/** The part a sample must have in it to be the moment of what its window shows, so that a burst does not last on. */
const OWN_PART = 0.25

/** Tells from samples when a run was last seen to compute or to transfer. */
export class ActivityMeter {
  #samples: Kept[] = []
  #activeAtMs: number | null = null
  #sampledAtMs: number | null = null

  /** Null: not sampled of late, so nobody can say. Until it was seen active, since the first sample. */
  activeAtMs(nowMs: number): number | null {
    return this.#isSeeing(nowMs) ? this.#activeAtMs : null
  }

  note(sample: ActivitySample, atMs: number): void {
    if (sample.overMs <= 0) return
    if (!this.#isSeeing(atMs)) this.#activeAtMs = atMs - sample.overMs
    this.#sampledAtMs = atMs
    this.#samples = [...this.#samples.filter((kept) => kept.atMs > atMs - WINDOW_MS), { ...sample, atMs }]
    const overMs = Math.max(WINDOW_MS / 2, this.#sum('overMs'))
    const isComputing = this.#sum('cpuMs') / overMs >= COMPUTES && sample.cpuMs / sample.overMs >= COMPUTES * OWN_PART
    const isTransferring =
      (this.#sum('ioBytes') * 1000) / overMs >= TRANSFERS_BYTES_PER_S &&
      (sample.ioBytes * 1000) / sample.overMs >= TRANSFERS_BYTES_PER_S * OWN_PART
    if (isComputing || isTransferring) this.#activeAtMs = atMs
  }

  /** Nothing can have been seen later than now. */
  clamp(nowMs: number): void {
    if (this.#activeAtMs !== null) this.#activeAtMs = Math.min(this.#activeAtMs, nowMs)
    if (this.#sampledAtMs !== null) this.#sampledAtMs = Math.min(this.#sampledAtMs, nowMs)
  }

  /** The host was away: what was seen before says nothing of now. */
  restart(atMs: number): void {
    this.#samples = []
    if (this.#isSeeing(atMs)) this.#activeAtMs = atMs
  }

  /** What was sampled long ago says nothing of now. */
  #isSeeing(nowMs: number): boolean {
    return this.#sampledAtMs !== null && nowMs - this.#sampledAtMs <= WINDOW_MS
  }

  #sum(key: 'cpuMs' | 'ioBytes' | 'overMs'): number {
    return this.#samples.reduce((total, sample) => total + sample[key], 0)
  }
}
