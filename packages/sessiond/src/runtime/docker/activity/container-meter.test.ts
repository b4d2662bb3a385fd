import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ContainerMeter, type MeteredContainer } from './container-meter.ts'
import type { CgroupFolder } from './find-cgroups.ts'

const ID = 'a1'.repeat(32)
const PID = 4242
const HEAD = 'Inter-|   Receive  |  Transmit\n face |bytes packets errs|bytes packets\n'

/** A /proc and cgroups of the test's own; not every system has files of both versions. */
let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'container-meter-'))
  await write(`proc/${PID}/cgroup`, `0::/docker/${ID}\n`)
  await network(1000, 200)
})

afterEach(() => rm(root, { recursive: true, force: true }))

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

function network(received: number, sent: number): Promise<void> {
  return write(
    `proc/${PID}/net/dev`,
    `${HEAD}    lo: 7 0 0 0 0 0 0 0 7 0\n  eth0: ${received} 0 0 0 0 0 0 0 ${sent} 0\n`,
  )
}

async function member(pid: number, parent: number, startTicks: number, storageBytes: number): Promise<void> {
  const fields = `${parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTicks} 0`
  await write(`proc/${pid}/stat`, `${pid} (x) S ${fields}`)
  const io = `rchar: ${storageBytes * 10}\nwchar: 0\nread_bytes: ${storageBytes}\nwrite_bytes: 0\n`
  await write(`proc/${pid}/io`, io)
}

function meter(version: 1 | 2, changes: Partial<MeteredContainer> = {}): ContainerMeter {
  const folder = (name: string): CgroupFolder => ({ version, path: join(root, version === 2 ? 'unified' : name) })
  const folders = { cpu: folder('cpuacct'), io: folder('blkio'), processes: folder('pids') }
  return new ContainerMeter({ id: ID, pid: PID, folders, hasOwnNetwork: true, ...changes }, join(root, 'proc'))
}

describe('under version 2', () => {
  beforeEach(async () => {
    await write('unified/cpu.stat', 'usage_usec 5000\nuser_usec 1\n')
    await write('unified/io.stat', '8:0 rbytes=30 wbytes=4 rios=1 wios=1\n')
    await write('unified/pids.current', '3\n')
    await write('unified/cgroup.procs', `${PID}\n4243\n`)
  })

  test('reads CPU time, block devices with the network, and how many run', () => {
    expect(meter(2).read()).toEqual({ cpuMs: 5, ioBytes: 1234, processes: 3 })
  })

  test('goes on where a counter began anew', async () => {
    const one = meter(2)
    expect(one.read()?.ioBytes).toBe(1234)
    await network(0, 10)
    expect(one.read()?.ioBytes).toBe(1234 + 44)
  })

  test('reads what its processes moved where the controller is off', async () => {
    await rm(join(root, 'unified/io.stat'))
    await rm(join(root, 'unified/pids.current'))
    await member(PID, 1, 100, 500)
    await member(4243, PID, 200, 70)
    expect(meter(2).read()).toEqual({ cpuMs: 5, ioBytes: 1200 + 570, processes: 2 })
  })

  test("counts no traffic of a namespace that is not its own, but its processes' calls", async () => {
    await member(PID, 1, 100, 500)
    await member(4243, PID, 200, 70)
    expect(meter(2, { hasOwnNetwork: false }).read()?.ioBytes).toBe(5700)
  })

  test('tells nothing where it may not look into a process whose calls would have to tell', async () => {
    await member(PID, 1, 100, 500)
    await member(4243, PID, 200, 70)
    await rm(join(root, 'proc/4243/io'))
    await mkdir(join(root, 'proc/4243/io'))
    expect(meter(2, { hasOwnNetwork: false }).read()).toBeNull()
  })

  test('tells nothing by a pid that another process has got', async () => {
    await write(`proc/${PID}/cgroup`, `0::/docker/${'b2'.repeat(32)}\n`)
    expect(meter(2).read()).toBeNull()
    expect(meter(2).isThere()).toBe(false)
  })

  test.each([
    ['an empty figure', 'unified/cpu.stat', ''],
    ['noise', 'unified/pids.current', '\u0000lots'],
    ['more than there can be', 'unified/io.stat', '8:0 rbytes=1 wbytes=1\n'.repeat(10_000)],
    ['more interfaces than there can be', `proc/${PID}/net/dev`, HEAD + '  eth0: 1 0 0 0 0 0 0 0 1 0\n'.repeat(10_000)],
    ['a list without end', 'unified/cgroup.procs', '4242\n'.repeat(50_000)],
  ])('believes no file with %s', async (_, path, text) => {
    await write(path, text)
    const shared = path.endsWith('procs') ? { hasOwnNetwork: false } : {}
    expect(() => meter(2, shared).read()).toThrow()
  })
})

describe('under version 1', () => {
  beforeEach(async () => {
    await write('cpuacct/cpuacct.usage', '7000000\n')
    await write('pids/pids.current', '2\n')
    await write('pids/cgroup.procs', `4243\n${PID}\n`)
    await write('blkio/blkio.throttle.io_service_bytes', '8:0 Read 30\n8:0 Write 4\n8:0 Total 34\nTotal 34\n')
  })

  test('reads CPU time, how many run, and what its processes moved from and to storage', async () => {
    await member(PID, 1, 100, 500)
    await member(4243, PID, 200, 70)
    expect(meter(1).read()).toEqual({ cpuMs: 7, ioBytes: 1200 + 570, processes: 2 })
  })

  test('reads the block controller where it may not look into its processes', async () => {
    await member(PID, 1, 100, 500)
    await rm(join(root, `proc/${PID}/io`))
    await mkdir(join(root, `proc/${PID}/io`))
    const one = meter(1)
    expect(one.read()?.ioBytes).toBe(1234)
    await write('blkio/blkio.throttle.io_service_bytes_recursive', '8:0 Read 50\n8:0 Write 4\nTotal 54\n')
    expect(one.read()?.ioBytes).toBe(1254)
  })

  test('tells nothing where the block controller names no device: it counts none', async () => {
    await write('blkio/blkio.throttle.io_service_bytes', 'Total 0\n')
    expect(meter(1).read()).toBeNull()
  })

  test('keeps to its processes once they have told', async () => {
    await member(PID, 1, 100, 500)
    const one = meter(1)
    expect(one.read()?.ioBytes).toBe(1700)
    await rm(join(root, `proc/${PID}/io`))
    await mkdir(join(root, `proc/${PID}/io`))
    expect(one.read()).toBeNull()
  })

  test('refuses to tell half when a controller cannot be read', async () => {
    await member(PID, 1, 100, 500)
    await rm(join(root, 'cpuacct/cpuacct.usage'))
    expect(() => meter(1).read()).toThrow('cpuacct.usage')
  })
})
