/** One line of /proc/<pid>/cgroup: where a process stands in one hierarchy. */
export interface CgroupMembership {
  /** Names of the v1 controllers; empty: the v2 hierarchy. */
  readonly controllers: readonly string[]
  readonly path: string
}

/** Reads /proc/<pid>/cgroup; lines of another shape are left out. Pure. */
export function parseProcCgroup(text: string): CgroupMembership[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) return []
    return [{ controllers: controllers.split(',').filter((name) => name !== ''), path }]
  })
}

/**
 * The cgroup a container was given, out of the one its process stands in: what is below it is the container's own doing,
 * and counted with it. Null: it is none of this container's. Pure.
 */
export function containerCgroup(path: string, containerId: string): string | null {
  const steps = path.split('/')
  // The last one: an engine inside of a container names its own below.
  const at = steps.findLastIndex((step) => isNamedAfter(step, containerId))
  return at < 0 || steps.includes('..') ? null : steps.slice(0, at + 1).join('/')
}

/** `<id>` by itself, or as systemd names units: `docker-<id>.scope`, `libpod-<id>.scope`. */
function isNamedAfter(step: string, containerId: string): boolean {
  const [, id] = /^(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?$/.exec(step) ?? []
  return id !== undefined && id === containerId
}
