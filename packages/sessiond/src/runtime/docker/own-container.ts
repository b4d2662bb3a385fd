import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** What this process can tell of the container it runs in itself, as it stands in files of its own. */
export interface ContainerClues {
  /** `/proc/self/cgroup`; "": there is none. */
  readonly cgroup: string
  /** `/proc/self/mountinfo`; "": there is none. */
  readonly mountinfo: string
  readonly hostName: string
}

/**
 * Beginnings of ids of containers that may be this process's own: whole ones, and the twelve characters an engine makes
 * a container's host name of. Empty outside of containers. One too many does no harm: it is only spared.
 */
export type OwnContainer = readonly string[]

/** The last part of a control group's path that names a container, in all engines' spellings. */
const CGROUP_ID = /(?:^|[/:-])([0-9a-f]{64})(?=\.scope|\/|$)/g

/** Files an engine puts into every container from a folder that bears the container's id. */
const ENGINE_FILES = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']

/** Of Docker `…/containers/<id>/hostname`, of Podman `…/overlay-containers/<id>/userdata/hostname`. */
const ENGINE_FILE_ID = /containers\/([0-9a-f]{64})\//

const SHORT_ID = /^[0-9a-f]{12}$/

/** Tells the container a process runs in from what it sees there. Pure. */
export function ownContainerOf({ cgroup, mountinfo, hostName }: ContainerClues): OwnContainer {
  const ofGroups = cgroup.split('\n').flatMap((line) => [...line.matchAll(CGROUP_ID)].map(([, id = '']) => id))
  const ofMounts = mountinfo.split('\n').flatMap(idOfMount)
  const ofName = SHORT_ID.test(hostName) ? [hostName] : []
  return [...new Set([...ofGroups, ...ofMounts, ...ofName])]
}

/** A line is `id parent device root place …`; layers of images have ids just as long, so only the engine's files count. */
function idOfMount(line: string): string[] {
  const [, , , root = '', place = ''] = line.split(' ')
  if (!ENGINE_FILES.includes(place)) return []
  const id = ENGINE_FILE_ID.exec(root)?.[1]
  return id === undefined ? [] : [id]
}

/** Whether a container may be the one this process runs in. Pure. */
export function isOwnContainer(own: OwnContainer, containerId: string): boolean {
  return own.some((beginning) => containerId.startsWith(beginning))
}

/** Looks for the container this process runs in; never throws. */
export async function findOwnContainer(): Promise<OwnContainer> {
  const [cgroup, mountinfo] = await Promise.all(
    ['/proc/self/cgroup', '/proc/self/mountinfo'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  return ownContainerOf({ cgroup: cgroup ?? '', mountinfo: mountinfo ?? '', hostName: hostname() })
}
