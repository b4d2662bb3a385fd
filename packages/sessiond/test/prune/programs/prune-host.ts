import { hasCode } from '../../../src/model/errors.ts'
import { createArtifactFiles } from '../../../src/prune/files/create-artifact-files.ts'
import { withPruneLock } from '../../../src/prune/prune-lock.ts'
import { realWorld } from '../../../src/world.ts'
import { activeWith, applyAll, crashRules } from '../prune-bed.ts'

/** A host that prunes one tree under its lock and asks before every batch; it is killed at any of them. */
const [dir = '', root = '', trashDir = ''] = process.argv.slice(2)

process.on('disconnect', () => process.exit(0))
process.send?.('ready')

async function prune(): Promise<void> {
  const files = createArtifactFiles({ world: realWorld })
  const active = activeWith({ ids: new Set(['held']) })
  const plan = await files.plan({ rules: crashRules(root), active, nowMs: Date.now(), pressure: null })
  await files.apply({
    ...applyAll(plan),
    batch: 3,
    trashDir: trashDir === '' ? null : trashDir,
    readActive: async () => active,
    async mayGoOn() {
      const answer = new Promise((resolve) => process.once('message', resolve))
      process.send?.('batch')
      await answer
      return true
    },
  })
  await files.close()
}

try {
  await withPruneLock(dir, 10_000, prune)
  process.send?.('done')
} catch (error) {
  if (!hasCode(error, 'PRUNE_FAILED')) throw error
  process.send?.('failed')
}
process.disconnect()
