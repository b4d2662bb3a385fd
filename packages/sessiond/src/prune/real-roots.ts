import { access, constants, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { HostConfig, RetentionPolicy } from '../config/config.ts'
import { isWithin } from '../config/is-within.ts'
import { ConfigInvalidError, type Problem } from '../config/problem.ts'
import type { ArtifactClass } from '../model/artifact.ts'
import { errnoOf } from './files/look.ts'

/**
 * The configuration with the data directory by its real path, and with the folders of classes in it below that: pruning
 * goes over no link.
 * Throws CONFIG_INVALID when a class of one's own has a folder that is the data directory, holds it or lies in it under
 * another name. A data directory that is not there is left to whoever opens it.
 */
export async function withRealRoots(config: HostConfig): Promise<HostConfig> {
  const dataDir = await realpath(config.dataDir).catch(() => null)
  if (dataDir === null) return config
  const own = rootsOutside(config)
  const within = own.length === 0 ? [] : await foldersWithin(dataDir)
  const overlaps = await Promise.all(own.map((rule) => overlapOf(rule, dataDir, within)))
  const problems = overlaps.filter((problem) => problem !== null)
  if (problems.length > 0) throw new ConfigInvalidError(problems)
  const moved = <Policy extends { readonly retention: RetentionPolicy }>(policy: Policy): Policy => {
    const artifacts = policy.retention.artifacts.map((rule) =>
      isWithin(rule.root, config.dataDir)
        ? { ...rule, root: join(dataDir, relative(config.dataDir, rule.root)) }
        : rule,
    )
    return { ...policy, retention: { ...policy.retention, artifacts } }
  }
  return {
    ...config,
    dataDir,
    groups: new Map([...config.groups].map(([name, group]) => [name, moved(group)])),
    defaults: moved(config.defaults),
  }
}

/** Folders of classes of one's own that pruning does not go through, each with the reason; none that is yet to come. */
export async function findUnusableRoots(config: HostConfig): Promise<readonly Problem[]> {
  const found = await Promise.all(rootsOutside(config).map(unusableOf))
  return found.filter((problem) => problem !== null)
}

function rootsOutside({ dataDir, defaults, groups }: HostConfig): ArtifactClass[] {
  const all = [defaults, ...groups.values()].flatMap(({ retention }) => retention.artifacts)
  return all.filter(({ root }) => !isWithin(root, dataDir))
}

/** The host's own folders, each with those above it by what they are: any of them may lie on a disk of its own. */
async function foldersWithin(dataDir: string): Promise<readonly (readonly string[])[]> {
  const below = async (...names: string[]) => {
    const entries = await readdir(join(dataDir, ...names)).catch(() => [])
    return entries.map((name) => join(dataDir, ...names, name))
  }
  const paths = [...(await below()), ...(await below('sessions')), ...(await below('archives'))]
  const ways = paths.map(async (path) => foldersTo(await realpath(path)).catch(() => null))
  return (await Promise.all(ways)).filter((way) => way !== null)
}

async function overlapOf(
  rule: ArtifactClass,
  dataDir: string,
  within: readonly (readonly string[])[],
): Promise<Problem | null> {
  const root = await realpath(rule.root).catch(() => null)
  // What is not there is no folder of ours; what comes there later and is reached over a link is never gone through.
  if (root === null) return null
  const [rootWay, dataWay] = [await foldersTo(root), await foldersTo(dataDir)]
  const isOver = (way: readonly string[]) => way.includes(rootWay[0] ?? '')
  const isIn = ([folder = '']: readonly string[]) => rootWay.includes(folder)
  const holdsAll = isOver(dataWay)
  const liesWithin = !holdsAll && [dataWay, ...within].some(isIn)
  if (!holdsAll && !liesWithin && !within.some(isOver)) return null
  const whose = holdsAll ? "the host's own dataDir" : "what is in the host's own dataDir"
  const what = liesWithin ? `must not lie in the host's own dataDir` : `must not hold ${whose}`
  return {
    where: whereOf(rule),
    value: JSON.stringify(rule.root),
    rule: `${what}, which it does by another name: it is ${root}, dataDir ${dataDir}`,
    cure: 'Name a folder beside dataDir, or leave root out.',
  }
}

/** A folder and all above it, by what they are and not by their names, so that no mount hides one. */
async function foldersTo(path: string): Promise<readonly string[]> {
  const { dev, ino } = await stat(path, { bigint: true })
  const above = dirname(path)
  return [`${dev}/${ino}`, ...(above === path ? [] : await foldersTo(above))]
}

async function unusableOf(rule: ArtifactClass): Promise<Problem | null> {
  const { root } = rule
  const problem = (why: string, cure: string): Problem => {
    return { where: whereOf(rule), value: JSON.stringify(root), rule: `${why}, so that nothing of it is removed`, cure }
  }
  try {
    const seen = await lstat(root)
    const real = await realpath(root).catch((error) => {
      if (errnoOf(error) === 'ENOENT' && seen.isSymbolicLink()) return 'a folder itself'
      throw error
    })
    if (real !== root) return problem('is reached over a link', `Name ${real}, if that is what is meant.`)
    if (!seen.isDirectory()) return problem('is no folder', 'Name a folder.')
    await access(root, constants.R_OK | constants.X_OK)
    return null
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    return problem(`cannot be gone through (${errnoOf(error)})`, 'Give the user of the host access to it.')
  }
}

function whereOf({ name, group }: ArtifactClass): string {
  return `${group === null ? '' : `groups.${group}.`}retention.artifacts.${name}.root`
}
