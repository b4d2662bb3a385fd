import { beforeAll } from 'vitest'
import { describeWithEngine } from '../../../testkit/src/docker-available.ts'
import { exerciseRuntime } from '../../../testkit/src/exercise-runtime.ts'
import { ensureTestImages } from '../../../testkit/src/test-image.ts'
import { dockerHarness } from './docker-harness.ts'

describeWithEngine('docker runtime', () => {
  beforeAll(ensureTestImages, 120_000)
  exerciseRuntime('DockerRuntime', () => dockerHarness())
})
