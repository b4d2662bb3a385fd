import type { Pressure } from '../decide/decide-under-pressure.ts'
import type {
  ActiveReferences,
  ArtifactClass,
  PlannedClass,
  PlannedRemoval,
  PrunePlan,
  StayReason,
} from '../model/artifact.ts'

export interface PlanRequest {
  readonly rules: readonly ArtifactClass[]
  readonly active: ActiveReferences
  readonly nowMs: number
  /**
   * The disk is fuller than wanted: if the bounds give back less than `wantedBytes`, so much more shall go, biggest and
   * oldest first, of what nothing protects. Null, or no bytes: bounds alone decide.
   */
  readonly pressure: Pressure | null
  /**
   * Asked now and then while it is planned, which rests until the answer; false: the plan ends with what it has seen, and
   * is partial.
   */
  readonly mayGoOn?: () => Promise<boolean>
}

export type Checks = 'unchanged' | 'same'

export interface ApplyRequest {
  readonly plan: PrunePlan
  /**
   * What an entry must still be. `unchanged`: the same and as it was, or it stays. `same`: a folder by that name, whatever
   * has become of what is in it; for what is nobody's any more. @default 'unchanged'
   */
  readonly checks?: Checks
  /** Removals done between two readings of the references. */
  readonly batch: number
  /** What must stay of a batch, as it is now. Throws (REFERENCES_UNREADABLE): nothing more is removed, and `apply` throws it. */
  readonly readActive: (batch: readonly PlannedRemoval[]) => Promise<ActiveReferences>
  /**
   * Absolute; what goes is moved there instead, to be found under `<class>/<one name for this call>/<path>`: so what lies
   * there already is never met. What is on another file system stays (`elsewhere`). Null: it is removed.
   */
  readonly trashDir: string | null
  /** Asked before each batch, and now and then while one is done, which does not wait for the answer; false: stop here. */
  readonly mayGoOn: () => Promise<boolean>
  readonly onProgress: (applied: AppliedRemovals) => void
}

/** What has come of a plan so far. */
export interface AppliedRemovals {
  /** Index of the first removal not looked at yet; the plan's length: all done. */
  readonly next: number
  readonly classes: readonly Pick<PlannedClass, 'name' | 'removed' | 'stays'>[]
}

/**
 * Looks at and removes artifacts. Never leaves the roots of its rules, never follows a link, survives entries that
 * vanish, change or turn into links under it, whoever writes there meanwhile. Works beside the host's event loop, and
 * every call is bounded in memory whatever the trees hold. Errors: REFERENCES_UNREADABLE; REFERENCES_IMPLAUSIBLE when no
 * session is known while there are files of sessions; PRUNE_FAILED when the work itself broke off (its
 * process died, or `close` was called). What cannot be read is counted as a stay, not thrown: so is a root that is not given by
 * its real path, for one that leads over links is not entered.
 */
export interface ArtifactFiles {
  plan(request: PlanRequest): Promise<PrunePlan>
  /** Removes what a plan says and nothing else, each entry only if it is still what it was planned as. */
  apply(request: ApplyRequest): Promise<AppliedRemovals>
  /** Ends what is under way wherever it is; the next plan goes on with what is left. Idempotent. */
  close(): Promise<void>
}

/** Stays counted so far, with some more. */
export function addStays(
  before: Readonly<Partial<Record<StayReason, number>>>,
  more: Readonly<Partial<Record<StayReason, number>>>,
): Partial<Record<StayReason, number>> {
  const sums = { ...before }
  for (const [reason, count] of Object.entries(more)) {
    sums[reason as StayReason] = (sums[reason as StayReason] ?? 0) + count
  }
  return sums
}
