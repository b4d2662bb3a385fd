import type { CgroupMount } from './cgroup-mounts.ts'
import { type CgroupMembership, containerCgroup } from './proc-cgroup.ts'

/** Folders of one container's cgroups, by what they account for. Each may be of another version (hybrid hosts). */
export interface CgroupFolders {
  readonly cpu: CgroupFolder
  readonly io: CgroupFolder
  readonly processes: CgroupFolder
}

export interface CgroupFolder {
  readonly version: 1 | 2
  readonly path: string
}

/** Which v1 controller accounts for what. */
const CONTROLLER = { cpu: 'cpuacct', io: 'blkio', processes: 'pids' } as const

/**
 * Finds a container's cgroups among the hierarchies this host sees; null when one of them is not to be found, as with an
 * engine on another machine. Pure.
 */
export function findCgroups(
  containerId: string,
  memberships: readonly CgroupMembership[],
  mounts: readonly CgroupMount[],
): CgroupFolders | null {
  const folderOf = (controller: string) =>
    inHierarchy(containerId, memberships, mounts, 1, ({ controllers }) => controllers.includes(controller)) ??
    inHierarchy(containerId, memberships, mounts, 2, ({ controllers }) => controllers.length === 0)
  const cpu = folderOf(CONTROLLER.cpu)
  const io = folderOf(CONTROLLER.io)
  const processes = folderOf(CONTROLLER.processes)
  return cpu === null || io === null || processes === null ? null : { cpu, io, processes }
}

function inHierarchy(
  containerId: string,
  memberships: readonly CgroupMembership[],
  mounts: readonly CgroupMount[],
  version: 1 | 2,
  isIt: (one: { readonly controllers: readonly string[] }) => boolean,
): CgroupFolder | null {
  const membership = memberships.find(isIt)
  const path = membership === undefined ? null : containerCgroup(membership.path, containerId)
  if (path === null) return null
  const mount = mounts.find((one) => isIt(one) && isBelow(path, one.root))
  if (mount === undefined) return null
  const rest = mount.root === '/' ? path : path.slice(mount.root.length)
  return { version, path: `${mount.folder}${rest}` }
}

function isBelow(path: string, root: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`)
}
