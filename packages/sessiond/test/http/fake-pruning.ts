import type { PlannedRemovals, Pruning, PruningPlan } from '../../src/api.ts'
import { NO_ROWS } from '../../src/store/store.ts'

/** A plan as the host makes them. */
export const PRUNING_PLAN: PruningPlan = {
  id: 'prune-1',
  plannedAtMs: 1_900_000_000_000,
  removed: { entries: 2, bytes: 4_096 },
  classes: [
    {
      name: 'debugLogs',
      seen: { entries: 5, bytes: 9_000 },
      removed: { entries: 2, bytes: 4_096 },
      reasons: [{ bound: 'age', limit: 259_200_000, most: 864_000_000, entries: 2, bytes: 4_096 }],
      stays: { active: 1 },
    },
  ],
  sessions: [{ group: 'ops', session: 'main', entries: 2, bytes: 4_096 }],
  otherSessions: { sessions: 0, entries: 0, bytes: 0 },
  isPartial: false,
  rows: { ...NO_ROWS, messages: 12 },
  areRowsWhole: true,
  closedSessions: 1,
  trash: { entries: 1, bytes: 10 },
}

const LINE = {
  className: 'debugLogs',
  root: '/data/sessions/ops',
  isFolder: false,
  bytes: 2_048,
  files: 1,
  group: 'ops',
  session: 'main',
  epoch: null,
  ids: [],
}

/** Both its removals. */
export const PLANNED_REMOVALS: PlannedRemovals['removals'] = [
  { ...LINE, path: 'main/work/.claude/debug/a\u001b.txt', reason: { bound: 'age', ageMs: 1, maxAgeMs: 0 } },
  { ...LINE, path: 'main/work/.claude/debug/b.txt', reason: { bound: 'count', rank: 3, maxCount: 2 } },
]

/** Its carrying out, as it begins. */
export const PRUNING: Pruning = {
  id: 'prune-1',
  state: 'running',
  progress: {
    stage: 'files',
    classes: [],
    looked: 0,
    planned: 2,
    rows: NO_ROWS,
    closedSessions: { archived: 0, bytes: 0, failed: 0 },
    trash: { entries: 0, bytes: 0 },
  },
  error: null,
  outcome: null,
}

/** The same, done. */
export const PRUNED: Pruning = {
  ...PRUNING,
  state: 'finished',
  progress: {
    ...PRUNING.progress,
    stage: null,
    classes: [{ name: 'debugLogs', removed: { entries: 1, bytes: 2_048 }, stays: { changed: 1 } }],
    looked: 2,
    rows: { ...NO_ROWS, messages: 12 },
  },
  outcome: { stoppedAt: null, isMore: false, trashFolder: null },
}
