import { chmodSync, existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import { makeDir, runInside, writeConfig } from '../cli/cli-harness.ts'
import { type TinyDisk, useTinyDisk } from '../store/tiny-disk.ts'
import { cleanUp, shellGroup, startHost } from './harness.ts'
import { handWound, leave, say } from './prune-scene.ts'

afterEach(cleanUp)

const MIB = 1024 * 1024
const groups = { shell: shellGroup('process') }

function freeBytes({ path }: TinyDisk): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** A small disk with a folder beside it whose configuration names it. */
async function smallHouse(disk: TinyDisk) {
  chmodSync(disk.path, 0o700)
  const dir = await makeDir()
  await writeConfig(dir.path, { dataDir: disk.path, groups: { shell: { agent: { command: ['sh'] } } } })
  return dir
}

/** A disk without a byte on which a host that was stopped has left an old file of two mebibytes. */
async function leftFull(disk: TinyDisk): Promise<string> {
  const test = await startHost(groups, { dataDir: disk.path, limits: { diskFloor: 0 } })
  await say(test, 'main')
  await test.host.send({ group: 'shell', session: 'later', id: 'kept', text: 'true', after: '1h' })
  await test.host.stop()
  const old = await leave(disk.path, 'main', 'debug/old.txt', 30, 2 * MIB)
  disk.fill()
  expect(freeBytes(disk)).toBe(0)
  expect(existsSync(join(disk.path, 'store.db-shm'))).toBe(false)
  return old
}

describe.runIf(useTinyDisk.isPossible)('a disk without a byte left', () => {
  it('(F5) is cleaned by the host, and by hand; what was refused meanwhile loses nothing, and it is told once', async () => {
    using disk = useTinyDisk(12 * MIB)
    await using dir = await smallHouse(disk)
    const log: string[] = []
    const logger = pino({ level: 'error' }, { write: (line: string) => void log.push(line) })
    const { world, strike } = handWound()
    const change = { dataDir: disk.path, limits: { diskFloor: '4MiB' as const }, sweep: { interval: '1s' as const } }
    const test = await startHost(groups, change, { logger, world })
    await say(test, 'main')
    const message = { group: 'shell', session: 'later', text: 'true', after: '1h' }
    await test.host.send({ ...message, id: 'kept' })
    const asked = await leave(disk.path, 'main', 'todos/old.json', 30, 10_000)
    const due = await leave(disk.path, 'main', 'debug/old.txt', 30, 2 * MIB)
    disk.fill()
    expect(freeBytes(disk)).toBe(0)
    // What the disk was seen to have is believed for a second.
    await until(() =>
      expect(test.host.send({ ...message, id: 'refused' })).rejects.toMatchObject({ code: 'DISK_FULL' }),
    )
    expect(await test.host.send({ ...message, id: 'kept' })).toMatchObject({ duplicate: true })
    expect(test.events.map(({ type }) => type)).not.toContain('disk:low')

    const { code, stderr } = await runInside(dir.path, ['prune', '--class', 'todos'])
    expect(code, stderr).toBe(0)
    expect([existsSync(asked), existsSync(due)]).toEqual([false, true])
    disk.fill()
    strike()
    await until(() => expect(existsSync(due)).toBe(false))
    await test.untilType('disk:low')
    disk.free()
    await test.untilType('disk:recovered')
    expect(test.events.map(({ type }) => type).filter((type) => type.startsWith('disk:'))).toEqual([
      'disk:low',
      'disk:recovered',
    ])
    expect(log.filter((line) => line.includes('"msg":"disk:low"'))).toHaveLength(1)
    await test.restart()
    expect((await test.host.showMessage('kept')).message.status).toBe('pending')
    await expect(test.host.showMessage('refused')).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' })
    await test.host.stop()
  })

  it('(F5) is cleaned by hand without a host, and room is kept for the next time', async () => {
    using disk = useTinyDisk(12 * MIB)
    await using dir = await smallHouse(disk)
    const old = await leftFull(disk)
    const dry = await runInside(dir.path, ['prune', '--dry-run'])
    expect({ code: dry.code, isTold: dry.stderr.includes('without --dry-run') }).toEqual({ code: 1, isTold: true })
    const { code, stderr } = await runInside(dir.path, ['prune'])
    expect(code, stderr).toBe(0)
    expect(existsSync(old)).toBe(false)
    expect(existsSync(join(disk.path, 'disk.reserve'))).toBe(true)
    disk.free()
    const test = await startHost(groups, { dataDir: disk.path, limits: { diskFloor: 0 } })
    expect((await test.untilType('prune:finished')).detail).toMatchObject({ cause: 'asked', entries: 1 })
    expect((await test.host.showMessage('kept')).message.status).toBe('pending')
    await test.host.stop()
  })

  it('(F5) lets a host start, which cleans it and keeps room for the next time', async () => {
    using disk = useTinyDisk(12 * MIB)
    await using _ = await smallHouse(disk)
    const old = await leftFull(disk)
    const { world, strike } = handWound()
    const test = await startHost(groups, { dataDir: disk.path, limits: { diskFloor: 0 } }, { world })
    expect(existsSync(join(disk.path, 'disk.reserve'))).toBe(false)
    strike()
    expect((await test.untilType('prune:finished')).detail).toMatchObject({ cause: 'high-water', entries: 1 })
    expect(existsSync(old)).toBe(false)
    expect(existsSync(join(disk.path, 'disk.reserve'))).toBe(true)
    expect((await test.host.showMessage('kept')).message.status).toBe('pending')
    await test.host.stop()
  })
})
