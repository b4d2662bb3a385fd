import { existsSync } from 'node:fs'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HostConfig } from '../../config/config.ts'
import { formatSize } from '../../config/size.ts'
import { freeBytesOf } from '../../disk-figures.ts'
import { TOKEN_FILE } from '../../http/token.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import type { Check } from '../../runtime/runtime.ts'
import { checkDataDir } from '../../store/data-dir.ts'

/** Whether the host could use its data directory; looks only, so that a running host is never disturbed. */
export async function checkDataDirectory(config: HostConfig): Promise<Check[]> {
  const { dataDir } = config
  if (!existsSync(dataDir)) return [await checkParent(dataDir), await checkSpace(nearestExisting(dataDir), config)]
  return [await checkWritable(dataDir), await checkSpace(dataDir, config), ...(await checkToken(dataDir))]
}

async function checkWritable(dataDir: string): Promise<Check> {
  try {
    await checkDataDir(dataDir)
    return { name: 'data directory', ok: true, detail: `${dataDir} is ours and writable` }
  } catch (error) {
    return failedCheck('data directory', error)
  }
}

async function checkParent(dataDir: string): Promise<Check> {
  const parent = nearestExisting(dataDir)
  const isWritable = await access(parent, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  const name = 'data directory'
  if (isWritable) return { name, ok: true, detail: `${dataDir} will be made at the first start` }
  return {
    name,
    ok: false,
    detail: `${dataDir} cannot be made: ${parent} is not writable`,
    cure: 'Name another dataDir.',
  }
}

async function checkSpace(path: string, { limits }: HostConfig): Promise<Check> {
  const freeBytes = freeBytesOf(await statfs(path))
  const free = formatSize(Math.floor(freeBytes / 1024 ** 2) * 1024 ** 2)
  const floor = formatSize(limits.diskFloorBytes)
  if (freeBytes >= limits.diskFloorBytes) return { name: 'disk', ok: true, detail: `${free} free, floor ${floor}` }
  const cure = 'Free space there, or lower limits.diskFloor: nothing new is accepted below it.'
  return { name: 'disk', ok: false, detail: `${free} free, below the floor of ${floor}`, cure }
}

async function checkToken(dataDir: string): Promise<Check[]> {
  const path = join(dataDir, TOKEN_FILE)
  const mode = await stat(path).then(
    (stats) => stats.mode & 0o777,
    () => undefined,
  )
  // No host has run yet: the first one makes it.
  if (mode === undefined) return []
  const name = 'api token'
  if ((mode & 0o077) === 0) return [{ name, ok: true, detail: `${path}, mode ${mode.toString(8)}` }]
  return [
    { name, ok: false, detail: `${path} is open to other users (mode ${mode.toString(8)})`, cure: `chmod 600 ${path}` },
  ]
}

function nearestExisting(path: string): string {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}
