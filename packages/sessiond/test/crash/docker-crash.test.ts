import { beforeAll } from 'vitest'
import { describeWithEngine } from '../../../testkit/src/docker-available.ts'
import { ensureTestImages } from '../../../testkit/src/test-image.ts'
import { DOCKER } from './crash-runtime.ts'
import { exerciseCrashes } from './exercise-crashes.ts'

describeWithEngine('crashes on the docker runtime', () => {
  beforeAll(() => ensureTestImages(), 120_000)
  exerciseCrashes(DOCKER)
})
