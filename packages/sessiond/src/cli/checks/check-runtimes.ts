import type { GroupConfig, HostConfig } from '../../config/config.ts'
import { createRuntimes } from '../../runtime/create-runtimes.ts'
import type { Check, Runtime } from '../../runtime/runtime.ts'
import { realWorld } from '../../world.ts'

/** Whether each runtime the groups need can be reached, and has their images or commands. */
export async function checkRuntimes(config: HostConfig, env: NodeJS.ProcessEnv): Promise<Check[]> {
  // No run is started or looked for, so whose install this is does not matter.
  const runtimes = createRuntimes({ config, installId: 'doctor', world: realWorld, hostEnvironment: env })
  const checks: Check[] = []
  for (const [name, runtime] of runtimes) {
    const groups = [...config.groups.values()].filter((group) => group.runtime === name)
    try {
      checks.push(
        ...(await runtime.check(
          groups.map(({ name: group, image, agent }) => ({ group, image, command: agent.command })),
        )),
      )
      checks.push(...groups.flatMap((group) => checkUser(group, runtime)))
    } finally {
      await runtime.close()
    }
  }
  return checks
}

/** A host that is not root cannot hand a session's directories to another user. */
function checkUser(group: GroupConfig, runtime: Runtime): Check[] {
  const user = runtime.userOf(group.user)
  const self = process.getuid?.()
  if (user === null || self === undefined) return []
  const name = `user of ${group.name}`
  if (self === 0 || self === user.uid) {
    return [{ name, ok: true, detail: `runs as ${user.uid}:${user.gid} and can write its mailbox and workspace` }]
  }
  const detail = `runs as ${user.uid}:${user.gid}, but user ${self} cannot give it its directories`
  return [
    { name, ok: false, detail, cure: `Leave groups.${group.name}.user out, or run the host as ${user.uid} or root.` },
  ]
}
