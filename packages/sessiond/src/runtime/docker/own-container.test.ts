import { describe, expect, test } from 'vitest'
import { isOwnContainer, ownContainerOf } from './own-container.ts'

const OWN = '0123456789abcdef'.repeat(4)
const OTHER = 'fedcba9876543210'.repeat(4)

function own(clues: { cgroup?: string; mountinfo?: string; hostName?: string }) {
  return ownContainerOf({ cgroup: '', mountinfo: '', hostName: 'a-machine', ...clues })
}

function engineFile(root: string, place = '/etc/hostname'): string {
  return `642 622 254:1 ${root} ${place} rw,relatime master:1 - ext4 /dev/vda1 rw`
}

describe('ownContainerOf', () => {
  test.each([
    ['Docker, cgroup v1', `12:pids:/docker/${OWN}\n11:cpu,cpuacct:/docker/${OWN}\n1:name=systemd:/docker/${OWN}\n`],
    ['Docker with systemd', `1:name=systemd:/system.slice/docker-${OWN}.scope\n`],
    ['Docker of another version of cgroups', `0::/system.slice/docker-${OWN}.scope\n`],
    ['Podman', `0::/machine.slice/libpod-${OWN}.scope/container\n`],
    ['Podman without root', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${OWN}.scope\n`],
    ['containerd below Kubernetes', `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${OWN}.scope\n`],
    ['Kubernetes, cgroup v1', `3:cpuset:/kubepods/besteffort/pod7e0c/${OWN}\n`],
    ['a group below the container', `4:cpu:/docker/${OWN}/agents/one\n`],
  ])('(D5) finds it in the control groups of %s', (_, cgroup) => {
    expect(own({ cgroup })).toEqual([OWN])
  })

  test.each([
    ['Docker', `/var/lib/docker/containers/${OWN}`],
    ['Docker whose data lies elsewhere', `/mnt/data/docker/containers/${OWN}`],
    ['Docker on a disk of its own', `/containers/${OWN}`],
    ['Podman', `/var/lib/containers/storage/overlay-containers/${OWN}/userdata`],
    ['Podman without root', `/home/ops/.local/share/containers/storage/overlay-containers/${OWN}/userdata`],
  ])('(D5) finds it in the mounts of %s when its control group says nothing', (_, folder) => {
    const mountinfo = ['/etc/resolv.conf', '/etc/hostname', '/etc/hosts']
      .map((place) => engineFile(`${folder}/${place.slice(5)}`, place))
      .join('\n')
    expect(own({ cgroup: '0::/\n', mountinfo })).toEqual([OWN])
  })

  test('(D5) takes a host name for the beginning of an id', () => {
    const found = own({ cgroup: '0::/\n', hostName: OWN.slice(0, 12) })
    expect(isOwnContainer(found, OWN)).toBe(true)
    expect(isOwnContainer(found, OTHER)).toBe(false)
  })

  test('spares the outer container with the inner one', () => {
    const found = own({ cgroup: `3:cpu:/docker/${OTHER}/docker/${OWN}\n` })
    expect([OWN, OTHER].map((id) => isOwnContainer(found, id))).toEqual([true, true])
  })

  test.each([
    ['a machine', { cgroup: '0::/user.slice/user-1000.slice/session-3.scope\n' }],
    ['a machine with cgroup v1', { cgroup: '12:pids:/\n1:name=systemd:/init.scope\n' }],
    ['a system without such files', {}],
    [
      'an image’s layers, and other containers’ folders on the machine they run on',
      {
        mountinfo: [
          `31 1 0:29 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/${OWN}/diff`,
          `90 31 0:50 / /var/lib/docker/containers/${OTHER}/mounts/shm rw - tmpfs shm rw`,
          engineFile(`/var/lib/docker/containers/${OTHER}/hostname`, '/srv/backup/hostname'),
          engineFile('/etc/hostname.d/mine'),
        ].join('\n'),
      },
    ],
    ['a number that is too short or too long', { cgroup: `3:cpu:/docker/${OWN.slice(1)}\n4:cpu:/docker/0${OWN}\n` }],
    ['a name that only looks like an id', { hostName: 'deadbeef' }],
    ['torn lines', { cgroup: ':::\n\0', mountinfo: '1 2 3\n\n  /etc/hostname' }],
  ])('finds none in %s', (_, clues) => {
    expect(own(clues)).toEqual([])
  })
})
