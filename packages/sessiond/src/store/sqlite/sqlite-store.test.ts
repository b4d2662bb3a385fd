import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exerciseStore } from '@sessiond/testkit'
import { realWorld } from '../../world.ts'
import { openStore } from './open-store.ts'

exerciseStore('SqliteStore', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-store-'))
  let store = await openStore({ dataDir, world: realWorld })
  return {
    store,
    async reopen() {
      await store.close()
      store = await openStore({ dataDir, world: realWorld })
      return store
    },
    async dispose() {
      await store.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
})
