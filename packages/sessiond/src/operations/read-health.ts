import type { Health } from '../api.ts'
import type { HostConfig } from '../config/config.ts'
import { decideHealth } from '../decide/decide-health.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

export interface HealthDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly supervisor: { lastSweepAtMs(): number | null; lostRuntimes(): readonly string[] }
  readonly cleaner: { failingForMs(): number | null }
  readonly diskFloor: Pick<DiskFloor, 'look'>
  readonly startedAtMs: number
  readonly version: string
}

/** Health by progress, not by presence: age of the last sweep and of the oldest message that should have moved (H5). */
export async function readHealth(deps: HealthDeps): Promise<Health> {
  const { config, world, store, supervisor } = deps
  const nowMs = world.now()
  const [live, waiting, accounts, oldestDueAtMs, disk] = await Promise.all([
    store.listLiveRuns(),
    store.listWaiting(nowMs, 1),
    store.listAccounts(),
    store.oldestDueAtMs(nowMs),
    deps.diskFloor.look(),
  ])
  const sweptAtMs = supervisor.lastSweepAtMs()
  const lastSweepAgeMs = sweptAtMs === null ? null : Math.round(world.monotonicMs() - sweptAtMs)
  const oldestDueAgeMs = oldestDueAtMs === null ? null : nowMs - oldestDueAtMs
  const problems = decideHealth({
    lastSweepAgeMs,
    sweepIntervalMs: config.sweep.intervalMs,
    oldestDueAgeMs,
    freeBytes: disk.freeBytes,
    diskFloorBytes: disk.wantedBytes,
    parkedGroups: waiting.map(({ group }) => group).filter((group) => !config.groups.has(group)),
    lostRuntimes: supervisor.lostRuntimes(),
    cleaningFailsForMs: deps.cleaner.failingForMs(),
    unkillable: live.filter((run) => run.state === 'unkillable').map((run) => run.name),
  })
  return {
    ok: problems.length === 0,
    version: deps.version,
    installId: store.installId,
    pid: process.pid,
    startedAtMs: deps.startedAtMs,
    lastSweepAgeMs,
    oldestDueAgeMs,
    liveRuns: live.length,
    maxRuns: config.runs.max,
    problems,
    accounts: accounts.map(({ name, state, reason, parkedUntilMs, allowed, troubles }) => {
      return { name, state, reason, parkedUntilMs, allowed, troubles }
    }),
  }
}
