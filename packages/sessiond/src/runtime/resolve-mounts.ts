import { realpath } from 'node:fs/promises'
import { posix, relative, sep } from 'node:path'
import { CONTAINER_PATHS } from '@sessiond/protocol'
import type { MountRoot } from '../config/config.ts'
import { SessiondError } from '../model/errors.ts'
import type { ResolvedMount } from './runtime.ts'

/** Targets a mount may neither be nor lie below: the protocol's own places and what every container needs. */
const RESERVED = ['/sessiond', '/proc', '/sys', '/dev'] as const

/** Targets that are taken themselves, though a mount may lie below them. */
const TAKEN: readonly string[] = ['/', CONTAINER_PATHS.work, '/tmp']

interface ResolvedRoot {
  readonly path: string
  readonly writable: boolean
}

/**
 * Resolves a group's mounts for a run about to start. Links are followed on both sides before a source is compared
 * with the roots, so one that was bent after the configuration was read leads nowhere. Writable only when both the
 * mount and its root say so. Throws MOUNT_REFUSED, naming the mount and the field.
 */
export async function resolveMounts(
  mounts: readonly ResolvedMount[],
  roots: readonly MountRoot[],
): Promise<ResolvedMount[]> {
  if (mounts.length === 0) return []
  const resolvedRoots = await resolveRoots(roots)
  const resolved: ResolvedMount[] = []
  for (const [index, mount] of mounts.entries()) {
    const target = checkTarget(mount.target, index)
    if (resolved.some((other) => other.target === target)) {
      throw refused(index, 'target', target, 'is the target of another mount too.')
    }
    resolved.push({ source: await resolveSource(mount, index, resolvedRoots), target, writable: mount.writable })
  }
  return resolved
}

async function resolveRoots(roots: readonly MountRoot[]): Promise<ResolvedRoot[]> {
  const found = await Promise.all(
    roots.map(async ({ path, writable }) => ({ path: await realpath(path).catch(() => null), writable })),
  )
  // A root that is not there allows nothing.
  return found.flatMap(({ path, writable }) => (path === null ? [] : [{ path, writable }]))
}

async function resolveSource(mount: ResolvedMount, index: number, roots: readonly ResolvedRoot[]): Promise<string> {
  const source = await realpath(mount.source).catch(() => {
    throw refused(index, 'source', mount.source, 'does not exist or cannot be reached.')
  })
  // The nearest root decides: a read-only root inside a writable one stays read-only.
  const root = roots.filter(({ path }) => isWithin(source, path)).sort((a, b) => b.path.length - a.path.length)[0]
  if (root === undefined) {
    const where = source === mount.source ? '' : ` (it leads to ${source})`
    throw refused(index, 'source', mount.source, `lies below none of mounts.roots${where}.`)
  }
  if (mount.writable && !root.writable) {
    throw refused(index, 'writable', mount.source, `cannot be writable: its root ${root.path} is read-only.`)
  }
  return source
}

function checkTarget(target: string, index: number): string {
  const normal = posix.normalize(target).replace(/(?<=.)\/$/, '')
  if (!normal.startsWith('/') || normal.includes('\0'))
    throw refused(index, 'target', target, 'is not an absolute path.')
  const isReserved = TAKEN.includes(normal) || RESERVED.some((path) => normal === path || normal.startsWith(`${path}/`))
  if (isReserved) throw refused(index, 'target', target, 'would hide what a run needs there.')
  return normal
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}

function refused(index: number, field: string, value: string, because: string): SessiondError {
  return new SessiondError('MOUNT_REFUSED', `mounts[${index}].${field}: ${JSON.stringify(value)} ${because}`, {
    fields: { field: `mounts[${index}].${field}`, value },
  })
}
