import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createApp } from '../../src/http/app.ts'
import { startServer } from '../../src/http/server.ts'
import { ensureToken } from '../../src/http/token.ts'
import { acquireHostLock } from '../../src/store/host-lock.ts'
import { realWorld } from '../../src/world.ts'
import { FakeHost } from '../http/fake-host.ts'
import { writeConfig } from './cli-harness.ts'

/** The real API over a host in memory, holding the real lock of a directory's data directory. */
export interface FakeApi extends AsyncDisposable {
  readonly host: FakeHost
  readonly url: string
  /** Stops listening but keeps the lock, as a host does that is in trouble. */
  stopListening(): Promise<void>
  /** Listens again, perhaps at another port. */
  listenAgain(): Promise<void>
}

/** Starts it in `dir`, with a configuration that leads there. */
export async function startFakeApi(dir: string, host: FakeHost = new FakeHost()): Promise<FakeApi> {
  await writeConfig(dir)
  const dataDir = join(dir, 'data')
  await mkdir(dataDir, { mode: 0o700 })
  const holder = { role: 'host' as const, pid: process.pid, startedAtMs: Date.now(), version: '0.0.0', apiUrl: null }
  const lock = await acquireHostLock(dataDir, holder)
  const app = createApp({
    host,
    token: await ensureToken(dataDir),
    config: { host: '127.0.0.1', port: 0, maxBodyBytes: 2 ** 21, requestsPerSecond: 10_000, allowedHosts: [] },
    limits: { textBytes: 2 ** 20, diskFloorBytes: 0 },
    version: '0.0.0',
    world: realWorld,
    log: { error: () => {} },
    isReady: () => true,
  })
  const listen = async () => {
    const server = await startServer(app, { host: '127.0.0.1', port: 0, closeGraceMs: 100 })
    await lock.update({ ...holder, apiUrl: server.url })
    return server
  }
  let server = await listen()
  return {
    host,
    get url() {
      return server.url
    },
    stopListening: () => server.close(),
    async listenAgain() {
      server = await listen()
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await lock.release()
    },
  }
}
