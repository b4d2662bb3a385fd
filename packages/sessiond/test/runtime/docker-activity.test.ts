import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { describeWithEngine } from '../../../testkit/src/docker-available.ts'
import type { RuntimeHarness } from '../../../testkit/src/exercise-runtime.ts'
import { ensureTestImages } from '../../../testkit/src/test-image.ts'
import { until, untilFile } from '../../../testkit/src/until.ts'
import type { RunHandle } from '../../src/model/run.ts'
import { Engine } from '../../src/runtime/docker/engine.ts'
import { dockerHarness } from './docker-harness.ts'

const MIB = 1024 * 1024

describeWithEngine('what containers send and receive', () => {
  let harness: RuntimeHarness

  beforeAll(ensureTestImages, 120_000)

  beforeEach(async () => {
    harness = await dockerHarness()
  })

  afterEach(() => harness.dispose())

  async function start(fixture: string, network: string): Promise<RunHandle> {
    const spec = await harness.specOf(fixture, { network })
    const handle = await harness.runtime.create(spec)
    await harness.runtime.start(handle)
    await untilFile(join(spec.outDir, 'ready'))
    return handle
  }

  async function ioBytes(handle: RunHandle): Promise<number> {
    const totals = (await harness.runtime.sample([handle])).get(handle.id)
    if (totals === undefined) throw new Error('nothing is told')
    return totals.ioBytes
  }

  test('is theirs on a network of their own, and nobody’s on the host’s', async () => {
    const [receiving, sharing] = [await start('receives', 'bridge'), await start('rests', 'host')]
    const before = { receiving: await until(() => ioBytes(receiving)), sharing: await until(() => ioBytes(sharing)) }
    const address = await addressOf(receiving)
    await until(() => send(address, Buffer.alloc(MIB)))
    await until(async () => expect((await ioBytes(receiving)) - before.receiving).toBeGreaterThan(MIB))
    // The same bytes have passed the interfaces that a run on the host's network sees.
    expect((await ioBytes(sharing)) - before.sharing).toBeLessThan(MIB / 16)
    expect(before.sharing).toBeLessThan(MIB)
  })
})

async function addressOf({ id }: RunHandle): Promise<string> {
  const engine = new Engine({ socketPath: null, callTimeoutMs: 20_000 })
  const { NetworkSettings } = await engine.call('inspect', (docker) => docker.getContainer(id).inspect())
  return NetworkSettings.Networks.bridge?.IPAddress ?? ''
}

/** Rejects when nobody listens yet. */
async function send(address: string, bytes: Buffer): Promise<void> {
  const socket = connect(9000, address)
  await once(socket, 'connect')
  socket.end(bytes)
  await once(socket, 'close')
}
