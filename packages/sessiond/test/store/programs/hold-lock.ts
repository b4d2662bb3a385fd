// Takes the host lock, says so, and holds it until killed or its input ends; ends with 3 when it is refused.
import { once } from 'node:events'
import { hasCode } from '../../../src/model/errors.ts'
import { acquireHostLock } from '../../../src/store/host-lock.ts'

const [dataDir = ''] = process.argv.slice(2)
try {
  const lock = await acquireHostLock(dataDir, {
    role: 'host' as const,
    pid: process.pid,
    startedAtMs: 0,
    version: '0.0.0',
    apiUrl: null,
  })
  process.stdout.write(`${process.pid}\n`)
  process.stdin.resume()
  await once(process.stdin, 'end')
  await lock.release()
} catch (error) {
  if (!hasCode(error, 'DATA_DIR_LOCKED')) throw error
  process.exitCode = 3
}
