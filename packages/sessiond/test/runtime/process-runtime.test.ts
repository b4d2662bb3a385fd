import { exerciseRuntime } from '../../../testkit/src/exercise-runtime.ts'
import { processHarness } from './process-harness.ts'

exerciseRuntime('ProcessRuntime', processHarness)
