import type { HostConfig } from '../../config/config.ts'
import { failedCheck } from '../../runtime/check-one.ts'
import type { Check } from '../../runtime/runtime.ts'
import { NAME_OF_ROLE, readHolder } from '../../store/host-lock.ts'
import { connect } from '../find-host.ts'
import { formatInstant } from '../format/time.ts'

/** Who holds the data directory, and whether that host gets on with its work. No host is no problem. */
export async function checkHost(config: HostConfig): Promise<Check[]> {
  const { isHeld, holder } = await readHolder(config.dataDir)
  const name = 'lock'
  if (!isHeld) return [{ name, ok: true, detail: 'free: no host is running' }]
  if (holder === null) return [{ name, ok: true, detail: 'held by a host that is starting' }]
  const { role, pid, hostName, startedAtMs, version } = holder
  const what = role === 'host' ? '' : `${NAME_OF_ROLE[role]}, `
  const who = `held by ${what}pid ${pid} on ${hostName}, version ${version}, since ${formatInstant(startedAtMs)}`
  const lock = { name, ok: true, detail: who }
  return role === 'host' ? [lock, await checkHealth(config)] : [lock]
}

async function checkHealth(config: HostConfig): Promise<Check> {
  const name = 'host'
  try {
    const client = await connect({ config, source: '' })
    const { ok, liveRuns, maxRuns, problems } = await client.health()
    if (ok) return { name, ok, detail: `answers at ${client.url}, ${liveRuns} of ${maxRuns} runs` }
    return { name, ok, detail: problems.join('; '), cure: "Read the host's log." }
  } catch (error) {
    return failedCheck(name, error)
  }
}
