import { describe, expect, test } from 'vitest'
import { parseCgroupMounts } from './cgroup-mounts.ts'
import { findCgroups } from './find-cgroups.ts'
import { containerCgroup, parseProcCgroup } from './proc-cgroup.ts'

const ID = 'a1'.repeat(32)
const OTHER = 'b2'.repeat(32)

const V2_MOUNTS = `24 30 0:22 / /proc rw,nosuid shared:12 - proc proc rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
`
const V1_MOUNTS = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`
const HYBRID_MOUNTS = `${V1_MOUNTS.replace(/^38.*\n/m, '')}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`

function find(memberships: string, mounts: string) {
  return findCgroups(ID, parseProcCgroup(memberships), parseCgroupMounts(mounts))
}

function v1(path: string): string {
  return `9:name=systemd:${path}\n8:pids:${path}\n7:blkio:${path}\n2:cpu,cpuacct:${path}\n`
}

describe('findCgroups', () => {
  test('finds the one of version 2', () => {
    const folder = { version: 2, path: `/sys/fs/cgroup/system.slice/docker-${ID}.scope` }
    expect(find(`0::/system.slice/docker-${ID}.scope\n`, V2_MOUNTS)).toEqual({
      cpu: folder,
      io: folder,
      processes: folder,
    })
  })

  test('finds those of version 1, each in its hierarchy', () => {
    expect(find(v1(`/docker/${ID}`), V1_MOUNTS)).toEqual({
      cpu: { version: 1, path: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}` },
      io: { version: 1, path: `/sys/fs/cgroup/blkio/docker/${ID}` },
      processes: { version: 1, path: `/sys/fs/cgroup/pids/docker/${ID}` },
    })
  })

  test('takes version 2 for what version 1 does not have (hybrid)', () => {
    const memberships = `${v1(`/docker/${ID}`).replace(/^7.*\n/m, '')}0::/docker/${ID}\n`
    expect(find(memberships, HYBRID_MOUNTS)).toEqual({
      cpu: { version: 1, path: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}` },
      io: { version: 2, path: `/sys/fs/cgroup/unified/docker/${ID}` },
      processes: { version: 1, path: `/sys/fs/cgroup/pids/docker/${ID}` },
    })
  })

  test('prefers version 1 where a controller is there', () => {
    const found = find(
      `${v1(`/docker/${ID}`)}0::/docker/${ID}\n`,
      `${V1_MOUNTS}41 31 0:38 / /u rw - cgroup2 cgroup2 rw\n`,
    )
    expect([found?.cpu.version, found?.io.version, found?.processes.version]).toEqual([1, 1, 1])
  })

  test('sees a hierarchy of which only a part is mounted here', () => {
    const mounts = '35 24 0:30 /outer /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n'
    expect(find(`0::/outer/docker/${ID}\n`, mounts)?.cpu.path).toBe(`/sys/fs/cgroup/docker/${ID}`)
    expect(find(`0::/outermost/docker/${ID}\n`, mounts)).toBeNull()
  })

  test.each([
    ['another process has the pid', '0::/user.slice/session.scope\n', V2_MOUNTS],
    ['another container has the pid', `0::/docker/${OTHER}\n`, V2_MOUNTS],
    ['the process is gone', '', V2_MOUNTS],
    ['no hierarchy is mounted', `0::/docker/${ID}\n`, ''],
    ['a hierarchy is missing', v1(`/docker/${ID}`), V1_MOUNTS.replace(/^38.*\n/m, '')],
    ['the text is noise', '\u0000::::\n1:\n::/\nx:cpu:/y', 'noise - cgroup2\n - - -\n\u0000'],
  ])('finds none when %s', (_, memberships, mounts) => {
    expect(find(memberships, mounts)).toBeNull()
  })

  test('reads folders with spaces in them', () => {
    const [mount] = parseCgroupMounts('35 24 0:30 / /mnt/a\\040b\\134c rw - cgroup2 cgroup2 rw\n')
    expect(mount?.folder).toBe('/mnt/a b\\c')
  })
})

describe('containerCgroup', () => {
  test.each([
    ['docker', `/docker/${ID}`, `/docker/${ID}`],
    ['docker under systemd', `/system.slice/docker-${ID}.scope`, `/system.slice/docker-${ID}.scope`],
    ['podman', `/machine.slice/libpod-${ID}.scope/container`, `/machine.slice/libpod-${ID}.scope`],
    ['an init in a cgroup of its own', `/docker/${ID}/init.scope`, `/docker/${ID}`],
    ['an engine in a container', `/docker/${OTHER}/docker/${ID}`, `/docker/${OTHER}/docker/${ID}`],
    ['a container in this one', `/docker/${ID}/docker/${OTHER}`, `/docker/${ID}`],
    ['another container', `/docker/${OTHER}`, null],
    ['part of the id', `/docker/${ID.slice(0, 63)}`, null],
    ['more than the id', `/docker/${ID}0`, null],
    ['the id in other words', `/docker/not ${ID} at all`, null],
    ['a way out', `/docker/${ID}/../../x`, null],
    ['the root', '/', null],
  ])('%s', (_, path, expected) => {
    expect(containerCgroup(path, ID)).toBe(expected)
  })
})
