// Archives all that is due, saying each step, until there is nothing left or it is killed.
import { openStore } from '../../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../../src/world.ts'
import { archiveIn } from '../archive-bed.ts'

const [dataDir = ''] = process.argv.slice(2)
const store = await openStore({ dataDir, world: realWorld })
const say = (word: string) => new Promise<void>((resolve) => process.send?.(word, () => resolve()))
process.on('disconnect', () => process.exit(0))
await say('ready')
process.once('message', async () => {
  const world = { now: () => Date.now(), boundary: (name: string) => say(name) }
  // A try that was broken off may have been put off.
  const nowMs = Date.now()
  await archiveIn({ dataDir, store, world }, { nowMs, limit: 1_000 })
  await say('done')
  await store.close()
})
