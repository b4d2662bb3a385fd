import { withPruneLock } from '../../../src/prune/prune-lock.ts'

/** Holds the lock of a folder until it is told to let go, or killed. */
const [dir = ''] = process.argv.slice(2)

process.on('disconnect', () => process.exit(0))
await withPruneLock(dir, 0, async () => {
  process.send?.('ready')
  await new Promise((resolve) => process.once('message', resolve))
})
process.send?.('released')
