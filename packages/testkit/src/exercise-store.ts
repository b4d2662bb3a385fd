import { describe } from 'vitest'
import { exerciseAccounts } from './store/exercise-accounts.ts'
import { exerciseArchives } from './store/exercise-archives.ts'
import { exerciseClock } from './store/exercise-clock.ts'
import { exerciseDeliveries } from './store/exercise-deliveries.ts'
import { exerciseDisk } from './store/exercise-disk.ts'
import { exerciseOutbox } from './store/exercise-outbox.ts'
import { exerciseReading } from './store/exercise-reading.ts'
import { exerciseRequests } from './store/exercise-requests.ts'
import { exerciseRetention } from './store/exercise-retention.ts'
import { exerciseRuns } from './store/exercise-runs.ts'
import { exerciseSending } from './store/exercise-sending.ts'
import { exerciseSeries } from './store/exercise-series.ts'
import { exerciseWindow } from './store/exercise-window.ts'
import type { MakeStoreHarness } from './store/store-harness.ts'

export type { StoreHarness } from './store/store-harness.ts'

/** The conformance suite of the store port: an adapter that passes can be a host's truth. */
export function exerciseStore(name: string, makeHarness: MakeStoreHarness): void {
  describe(`${name} as a Store`, () => {
    exerciseSending(makeHarness)
    exerciseRuns(makeHarness)
    exerciseWindow(makeHarness)
    exerciseOutbox(makeHarness)
    exerciseRequests(makeHarness)
    exerciseDeliveries(makeHarness)
    exerciseReading(makeHarness)
    exerciseClock(makeHarness)
    exerciseArchives(makeHarness)
    exerciseDisk(makeHarness)
    exerciseAccounts(makeHarness)
    exerciseSeries(makeHarness)
    exerciseRetention(makeHarness)
  })
}
