// Says it is ready, waits for its input to end, opens the store and writes its install id.
import { once } from 'node:events'
import { openStore } from '../../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../../src/world.ts'

const [dataDir = ''] = process.argv.slice(2)
process.stdout.write('ready\n')
process.stdin.resume()
await once(process.stdin, 'end')
const store = await openStore({ dataDir, world: realWorld })
process.stdout.write(`${store.installId}\n`)
await store.close()
