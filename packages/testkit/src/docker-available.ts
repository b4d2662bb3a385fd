import { describe, test } from 'vitest'
import { Engine } from '../../sessiond/src/runtime/docker/engine.ts'
import { NEEDS_ENGINE } from './needs.ts'
import { listApplets } from './test-image.ts'

/** Null when tests can use a container engine; else why they cannot. */
export const whyNoEngine: string | null = await lookForEngine()

/** For `describe.skipIf(!dockerAvailable)`; prefer {@link describeWithEngine}. */
export const dockerAvailable: boolean = whyNoEngine === null

/**
 * A suite that needs a container engine: left out where there is none, and said so in one line at the end of the
 * run; with CI=true a missing engine is a failure.
 */
export function describeWithEngine(title: string, suite: () => void): void {
  const name = `${title} ${NEEDS_ENGINE}`
  if (whyNoEngine === null || process.env.CI !== 'true') {
    describe.skipIf(whyNoEngine !== null)(name, suite)
    return
  }
  describe(name, () => {
    test('has a container engine', () => {
      throw new Error(whyNoEngine)
    })
  })
}

async function lookForEngine(): Promise<string | null> {
  if (process.platform !== 'linux') return 'the test images are made of Linux files'
  try {
    const engine = new Engine({ socketPath: null, callTimeoutMs: 10_000 })
    await engine.call('answer', (docker) => docker.ping())
    await listApplets()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
