/** A cgroup hierarchy as this host sees it. */
export interface CgroupMount {
  /** Names of the v1 controllers; empty: the v2 hierarchy. */
  readonly controllers: readonly string[]
  /** The cgroup that stands at `folder`. */
  readonly root: string
  readonly folder: string
}

/** Finds the cgroup hierarchies in /proc/self/mountinfo. Pure. */
export function parseCgroupMounts(text: string): CgroupMount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2)
    const [, , , root, folder] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (root === undefined || folder === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return []
    const controllers = type === 'cgroup2' ? [] : options.split(',')
    return [{ controllers, root: unescapePath(root), folder: unescapePath(folder) }]
  })
}

/** Spaces and the like stand as octal numbers. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
