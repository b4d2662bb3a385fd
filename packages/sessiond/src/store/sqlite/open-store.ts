import { join } from 'node:path'
import { SessiondError } from '../../model/errors.ts'
import type { World } from '../../world.ts'
import { type RenewedInstall, recordPlace, refuseCopy, renewInstall } from './copied-store.ts'
import type { Database } from './database.ts'
import { migrate, readVersion, refuseNewer, SCHEMA_VERSION } from './migrate.ts'
import { openForReading, openForWriting, refuseMissing, STORE_FILE, stopWaiting } from './open-database.ts'
import { enableGivingBack } from './prune/free-space.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { SqliteStore } from './sqlite-store.ts'
import { translateError } from './translate-error.ts'

export interface OpenStoreOptions {
  /** Exists and is writable (prepareDataDir). */
  readonly dataDir: string
  readonly world: World
  /**
   * Calls back as soon as everything that is ready now has been handled; writes asked for until then share a commit.
   * @default setImmediate
   */
  readonly defer?: (fn: () => void) => void
  /**
   * A store of an older version, whose file cannot get smaller, is made anew however large it is, which may take minutes;
   * otherwise only a small one is. @default false
   */
  readonly rewritesAtAnySize?: boolean
}

/**
 * Opens the store of a data directory, making or migrating it as needed. Throws DATA_DIR_UNUSABLE, DATA_DIR_NEWER,
 * DATA_DIR_COPIED, DISK_FULL, STORE_BUSY or STORE_BROKEN and leaves nothing open.
 */
export async function openStore(options: OpenStoreOptions): Promise<SqliteStore> {
  const { dataDir, world, defer = setImmediate } = options
  const db = await openMigrated(options)
  return opened(db, dataDir, () => {
    stopWaiting(db)
    return new SqliteStore(db, dataDir, { newId: (prefix) => world.newId(prefix), defer })
  })
}

/** Opens an existing store to look at it: never creates, never migrates, cannot write (C8). Throws as openStore does. */
export async function openStoreReadOnly(dataDir: string): Promise<SqliteReader> {
  const db = guarded(dataDir, () => openForReading(dataDir))
  return opened(db, dataDir, () => {
    const version = readVersion(db)
    refuseNewer(version)
    if (version < SCHEMA_VERSION) {
      throw new SessiondError('DATA_DIR_UNUSABLE', `The store has schema ${version} of ${SCHEMA_VERSION}.`, {
        fields: { dataDir, found: version, known: SCHEMA_VERSION },
        cure: 'Start the host once with `sessiond up`; it brings the data directory up to date.',
      })
    }
    return new SqliteReader(db, dataDir)
  })
}

/** Makes a copied data directory an install of its own. For who holds the host's lock; throws as opening does. */
export async function renewInstallOf(dataDir: string, world: World): Promise<RenewedInstall> {
  const db = guarded(dataDir, () => openForWriting(dataDir))
  try {
    return guarded(dataDir, () => renewInstall(db, dataDir, world.newId('i')))
  } finally {
    db.close()
  }
}

/** Throws DATA_DIR_UNUSABLE where there is no store; touches nothing, and says nothing of one that is there. */
export function refuseMissingStore(dataDir: string): void {
  guarded(dataDir, () => refuseMissing(dataDir))
}

const OPEN_TRIES = 50
const OPEN_RETRY_MS = 20

/** Turning a new file to WAL does not wait its turn, so two processes that begin at once may bounce off each other. */
async function openMigrated({ dataDir, world, rewritesAtAnySize = false }: OpenStoreOptions): Promise<Database> {
  for (let tries = 1; ; tries += 1) {
    try {
      const db = openForWriting(dataDir)
      return opened(db, dataDir, () => {
        migrate(db, () => world.newId('i'))
        refuseCopy(db, dataDir)
        recordPlace(db, dataDir)
        enableGivingBack(db, join(dataDir, STORE_FILE), rewritesAtAnySize)
        return db
      })
    } catch (error) {
      const ours = translateError(error, dataDir)
      if (!(ours instanceof SessiondError) || ours.code !== 'STORE_BUSY' || tries === OPEN_TRIES) throw ours
      await new Promise<void>((resolve) => world.setTimer(OPEN_RETRY_MS, resolve))
    }
  }
}

/** Closes the database again when what is done with it next throws. */
function opened<T>(db: Database, dataDir: string, next: () => T): T {
  try {
    return guarded(dataDir, next)
  } catch (error) {
    db.close()
    throw error
  }
}

function guarded<T>(dataDir: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw translateError(error, dataDir)
  }
}
