import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithEngine, ensureBusyboxImage, TEST_IMAGE } from '@sessiond/testkit/engine'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { cleanUp, startHost, untilFile } from './harness.ts'
import { OwnEngine, whyNoOwnEngine } from './own-engine.ts'

const TIMEOUT_MS = 120_000

const reason = whyNoOwnEngine()
const needed = process.env.CI === 'true' || reason === null

describeWithEngine('an engine that is restarted under its runs', () => {
  let engine: OwnEngine | null = null
  beforeAll(async () => {
    if (!needed) return
    engine = await OwnEngine.start()
    await ensureBusyboxImage(engine.socketPath)
  }, TIMEOUT_MS)
  afterEach(cleanUp)
  afterAll(() => engine?.[Symbol.asyncDispose](), TIMEOUT_MS)

  it.skipIf(!needed)(
    '(D13, invariant 5): the work is done again, one run at a time, and no try is spent',
    async () => {
      if (engine === null) throw new Error(reason ?? 'no engine')
      const agent = { command: ['sh'] }
      const shell = { runtime: 'docker', image: TEST_IMAGE.busybox, agent, network: 'none' } as const
      // An engine on its way down still answers, and refuses: nothing is tried again before it is gone.
      const slow = { retry: { base: '2s' }, spawn: { base: '2s' }, sweep: { interval: '1s' } } as const
      const test = await startHost({ shell }, { ...slow, docker: { socketPath: engine.socketPath } })
      const text = 'touch begun; until test -e go; do sleep 0.05; done; echo done'
      await test.host.send({ group: 'shell', id: 'm', text })
      await untilFile(test, 'shell/main', 'begun')
      await engine.stop()
      await engine.start()
      await writeFile(join(test.dataDir, 'sessions/shell/main/work/go'), '')
      await test.untilType('message:completed')
      expect(test.replies()).toEqual(['done'])
      expect((await test.host.showMessage('m')).message).toMatchObject({ tries: 0, status: 'completed' })
      expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(2)
      await test.host.stop()
    },
    TIMEOUT_MS,
  )
})
