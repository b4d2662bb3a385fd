import { readToken } from '../http/token.ts'
import { SessiondError } from '../model/errors.ts'
import { type HolderRole, NAME_OF_ROLE, readHolder } from '../store/host-lock.ts'
import type { CliContext, CommonOptions } from './cli-context.ts'
import { HostClient } from './client.ts'
import { type FoundConfig, findConfig } from './find-config.ts'

export interface FoundHost extends FoundConfig {
  readonly client: HostClient
}

/** The host of the configuration's data directory. Throws HOST_NOT_RUNNING when none holds it. */
export async function findHost(options: CommonOptions, context: CliContext): Promise<FoundHost> {
  const found = await findConfig(options, context)
  return { ...found, client: await connect(found) }
}

/**
 * A client for the host as it is now: where it listens is what it wrote beside its lock, so a free port (api.port
 * 0) is found too, and one it got after a restart.
 */
export async function connect({ config }: FoundConfig): Promise<HostClient> {
  const { dataDir } = config
  const { isHeld, holder } = await readHolder(dataDir)
  if (!isHeld || holder?.apiUrl == null) throw notRunning(dataDir, isHeld ? (holder?.role ?? 'host') : null)
  return new HostClient({ url: holder.apiUrl, token: await readToken(dataDir) })
}

function notRunning(dataDir: string, heldBy: HolderRole | null): SessiondError {
  const other = heldBy === null || heldBy === 'host' ? null : heldBy
  const state = heldBy === 'host' ? 'is still starting, or serves no API' : 'is not running'
  const meanwhile = other === null ? '' : `, and its data directory is held by ${NAME_OF_ROLE[other]}`
  return new SessiondError('HOST_NOT_RUNNING', `The host of ${dataDir} ${state}${meanwhile}.`, {
    fields: { dataDir },
    ...(other === null ? {} : { cure: 'Start it with `sessiond up` once that has ended.' }),
  })
}
