import { describe, expect, test } from 'vitest'
import { BOUNDARIES, boundariesOfSources, CLEANING_BOUNDARIES } from './boundaries.ts'
import { PROCESS } from './crash-runtime.ts'
import { exerciseCrashes } from './exercise-crashes.ts'

test('knows every boundary of the host by name', async () => {
  expect(await boundariesOfSources()).toEqual([...BOUNDARIES, ...CLEANING_BOUNDARIES].sort())
})

describe('crashes on the process runtime', () => exerciseCrashes(PROCESS))
