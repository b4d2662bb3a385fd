// Sends until it is killed: eight senders, alone and in batches. Writes each id once its send was acknowledged.
import { openStore } from '../../../src/store/sqlite/open-store.ts'
import { realWorld } from '../../../src/world.ts'
import { newMessage } from '../messages.ts'

const [dataDir = ''] = process.argv.slice(2)
const store = await openStore({ dataDir, world: realWorld })

async function sendForever(sender: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const size = round % 3 === 0 ? 5 : 1
    const batch = Array.from({ length: size }, (_, index) =>
      newMessage(`m-${sender}-${round}-${index}`, `g/s${sender % 3}`),
    )
    const receipts = await store.accept(batch, 1_000)
    for (const receipt of receipts) if ('messageId' in receipt) process.stdout.write(`${receipt.messageId}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, sender) => sendForever(sender)))
