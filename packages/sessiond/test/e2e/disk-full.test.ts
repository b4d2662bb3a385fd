import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../testkit/src/until.ts'
import type { SessiondError } from '../../src/model/errors.ts'
import { WebhookServer } from '../delivery/webhook-server.ts'
import { type TinyDisk, useTinyDisk } from '../store/tiny-disk.ts'
import { ask } from './clients.ts'
import { cleanUp, shellGroup, startHost, type TestHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }
const MIB = 1024 * 1024
const SEND = '/v1/sessions/shell/new/messages'
const WAITS_FOR_GO = 'while ! test -e go; do sleep 0.05; done; echo'

/** A host on a tiny disk, with what it logs as warnings and errors. */
async function startOn(disk: TinyDisk): Promise<{ test: TestHost; log: string[] }> {
  chmodSync(disk.path, 0o700)
  const log: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(line) })
  const change = { dataDir: disk.path, limits: { diskFloor: 0 }, sweep: { interval: '1s' } }
  return { test: await startHost(groups, change, { logger }), log }
}

/** Sends until the disk takes no more; returns what was acknowledged and how the first other one was refused. */
async function sendUntilRefused(test: TestHost): Promise<{ acknowledged: string[]; refused: SessiondError }> {
  const acknowledged: string[] = []
  for (;;) {
    const id = `fill-${acknowledged.length}`
    try {
      await test.host.send({ group: 'shell', session: 'full', id, text: `true ${'x'.repeat(20_000)}`, after: '1h' })
      acknowledged.push(id)
    } catch (error) {
      return { acknowledged, refused: error as SessiondError }
    }
  }
}

describe.runIf(useTinyDisk.isPossible)('a disk that fills up under a running host', () => {
  it('refuses what is new, loses nothing acknowledged, lets runs go on, and needs nobody once there is room', async () => {
    using disk = useTinyDisk(12 * 1024 * 1024)
    const { test, log } = await startOn(disk)
    await test.host.send({ group: 'shell', session: 'busy', id: 'working', text: `${WAITS_FOR_GO} worked` })
    await test.untilType('message:claimed')
    await test.host.send({ group: 'shell', session: 'waits', id: 'waiting', text: 'echo waited', after: '1s' })
    disk.fill()
    const { acknowledged, refused } = await sendUntilRefused(test)
    expect(refused).toMatchObject({ code: 'DISK_FULL', retryable: true, cure: expect.stringMatching(/Free space/) })

    // The agent ends its work while nothing can be written, and a message falls due for which no run can be recorded.
    mkdirSync(join(disk.path, 'sessions/shell/busy/work/go'))
    await until(() => expect(log.join('')).toContain('session shell/'))
    for (let index = 0; index < 50; index += 1) {
      const { status, body } = await ask(test, 'POST', SEND, { text: 'echo no' })
      expect([status, body.error?.code]).toEqual([507, 'DISK_FULL'])
    }
    expect(await test.host.health()).toMatchObject({ ok: false, problems: [expect.stringMatching(/disk .* is full/)] })
    expect((await test.host.showMessage('working')).message.status).toBe('claimed')

    disk.free()
    await test.untilType('message:completed', 2)
    expect(test.replies().sort()).toEqual(['waited', 'worked'])
    for (const id of ['working', 'waiting']) expect((await test.host.showMessage(id)).message.tries).toBe(0)
    expect((await ask(test, 'POST', SEND, { text: 'echo new' })).status).toBe(202)
    await until(async () => expect((await test.host.health()).ok).toBe(true))
    // (F1) Every refusal and every failed step was one trouble, told once.
    expect(log.filter((line) => line.includes('DISK_FULL') || line.includes('is full'))).toHaveLength(1)
    await test.restart()
    for (const id of acknowledged) expect((await test.host.showMessage(id)).message.status).toBe('pending')
    await test.host.stop()
  })

  it('(D9) backs off from starts that find no room for their files, spending no try', async () => {
    using disk = useTinyDisk(2 * 1024 * 1024)
    // The store's own disk has room: only what a run needs has none.
    const test = await startHost(groups)
    const sessions = join(test.dataDir, 'sessions')
    mkdirSync(sessions)
    execFileSync('mount', ['--bind', disk.path, sessions])
    using _ = { [Symbol.dispose]: () => execFileSync('umount', ['-l', sessions]) }
    disk.fill()
    await test.host.send({ group: 'shell', id: 'm', text: 'echo here' })
    const failed = await test.untilType('run:spawnFailed', 3)
    expect(failed.detail).toMatchObject({ error: expect.stringMatching(/disk is full/) })
    expect(failed.detail).toMatchObject({ failures: 3 })
    disk.free()
    await test.untilType('message:completed')
    expect(test.replies()).toEqual([expect.stringMatching(/could not be started 3 times/), 'here'])
    expect((await test.host.showMessage('m')).message.tries).toBe(0)
    await test.host.stop()
  })

  it('stops in an orderly way on a full disk, and the next host finishes what was under way', async () => {
    using disk = useTinyDisk(12 * 1024 * 1024)
    const { test } = await startOn(disk)
    await test.host.send({ group: 'shell', id: 'm', text: `${WAITS_FOR_GO} worked` })
    await test.untilType('message:claimed')
    disk.fill()
    await sendUntilRefused(test)
    await test.host.stop()
    disk.free()
    mkdirSync(join(disk.path, 'sessions/shell/main/work/go'))
    await test.restart()
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['worked'])
    expect((await test.host.showMessage('m')).message.tries).toBe(0)
    await test.host.stop()
  })
})

const FLOOR_BYTES = 16 * MIB

describe.runIf(useTinyDisk.isPossible)('a disk that falls below limits.diskFloor under a running host', () => {
  it('starts no run, ends what runs, refuses sends, tells once, and goes on by itself', async () => {
    using disk = useTinyDisk(64 * MIB)
    chmodSync(disk.path, 0o700)
    const receiver = await WebhookServer.listen()
    await using _ = { [Symbol.asyncDispose]: () => receiver.close() }
    const log: string[] = []
    const logger = pino({ level: 'error' }, { write: (line: string) => void log.push(line) })
    const change = {
      dataDir: disk.path,
      limits: { diskFloor: '16MiB' as const },
      sweep: { interval: '1s' as const },
      sinks: { hook: { url: receiver.url, secret: 'k'.repeat(32) } },
    }
    const test = await startHost({ shell: shellGroup('process', { sinks: ['hook'] }) }, change, { logger })
    await test.host.send({ group: 'shell', session: 'busy', id: 'working', text: `${WAITS_FOR_GO} worked` })
    await test.untilType('message:claimed')
    // Late enough for the disk to be full before, however slow the machine.
    await test.host.send({ group: 'shell', session: 'waits', id: 'waiting', text: 'echo waited', after: '6s' })
    await test.host.schedule({ group: 'shell', session: 'series', id: 's', after: '6s', text: 'echo fired' })

    const ballast = join(disk.path, '.ballast')
    const { bavail, bsize } = statfsSync(disk.path)
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - FLOOR_BYTES / 2))
    await test.untilType('disk:low')
    await test.untilType('series:fired')
    for (const session of ['waits', 'series']) {
      await until(async () => {
        const { next } = await test.host.showSession(`shell/${session}`)
        expect(next).toEqual({ action: 'leave', because: 'disk-low' })
      })
    }
    expect((await ask(test, 'POST', SEND, { text: 'echo no' })).status).toBe(507)
    expect((await test.host.why({ messageId: 'waiting' })).sentences.join(' ')).toMatch(
      /until the disk .* has room again/,
    )
    expect((await test.host.health()).problems).toEqual([expect.stringMatching(/disk .* is full/)])
    mkdirSync(join(disk.path, 'sessions/shell/busy/work/go'))
    await test.untilType('reply:delivered')
    expect(receiver.received.map(({ body }) => body).join()).toContain('worked')

    // A host that starts below the floor neither starts what waits nor tells again.
    await test.restart()
    await until(async () => {
      expect((await test.host.showSession('shell/waits')).next.because).toBe('disk-low')
    })
    rmSync(ballast)
    await test.untilType('message:completed', 3)
    expect(test.replies().sort()).toEqual(['fired', 'waited', 'worked'])
    for (const id of ['working', 'waiting']) expect((await test.host.showMessage(id)).message.tries).toBe(0)
    const told = test.events.map(({ type }) => type).filter((type) => type.startsWith('disk:'))
    expect(told).toEqual(['disk:low', 'disk:recovered'])
    expect(log.filter((line) => line.includes('disk:low'))).toHaveLength(1)
    expect(test.events.filter(({ type }) => type === 'run:spawnFailed')).toEqual([])
    for (const session of ['waits', 'series']) {
      expect((await test.host.listRuns(`shell/${session}`)).map(({ epoch }) => epoch)).toEqual([1])
    }
    await test.host.stop()
  }, 60_000)
})

describe('limits.diskFloor', () => {
  it('refuses new messages below it, says so in health, and begins what was accepted once there is room', async () => {
    const test = await startHost(groups)
    await test.host.send({ group: 'shell', id: 'm', text: 'echo accepted', after: '1s' })
    await test.restart({ limits: { diskFloor: '1000000GiB' } })
    const { status, body } = await ask(test, 'POST', SEND, { text: 'echo no' })
    expect([status, body.error?.code]).toEqual([507, 'DISK_FULL'])
    expect(body.error?.message).toMatch(/bytes free. Below limits.diskFloor \(1000000GiB\) nothing new is accepted/)
    expect((await test.host.health()).problems).toEqual([expect.stringMatching(/disk .* is full/)])
    await until(async () => {
      expect((await test.host.showSession('shell/main')).next).toEqual({ action: 'leave', because: 'disk-low' })
    })
    expect(await test.host.listRuns('shell/main')).toEqual([])
    await test.restart({ limits: { diskFloor: 0 } })
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['accepted'])
  })

  it('tells who sends again below it that the message was accepted', async () => {
    const test = await startHost(groups)
    const message = { group: 'shell', id: 'm', text: 'echo accepted', after: '1h' }
    await test.host.send(message)
    await test.restart({ limits: { diskFloor: '1000000GiB' } })
    expect(await test.host.send(message)).toMatchObject({ messageId: 'm', duplicate: true })
    await expect(test.host.send({ ...message, id: 'n' })).rejects.toMatchObject({ code: 'DISK_FULL' })
    const messages = ['n', 'm', 'o'].map((id) => ({ ...message, id }))
    const { status, body } = await ask(test, 'POST', '/v1/messages', { messages: [...messages, { group: 'shell' }] })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      outcomes: [
        { error: { code: 'DISK_FULL' } },
        { receipt: { messageId: 'm', duplicate: true } },
        { error: { code: 'DISK_FULL' } },
        { error: { code: 'BAD_REQUEST' } },
      ],
    })
  })

  it('refuses new tasks and changes of tasks below it, and lets those there are fire, stop and go on', async () => {
    const test = await startHost(groups)
    const task = { group: 'shell', id: 's', cron: '0 9 * * *', text: 'echo daily' }
    await test.host.schedule(task)
    await test.host.schedule({ group: 'shell', id: 'soon', after: '1s', text: 'echo fired' })
    await test.restart({ limits: { diskFloor: '1000000GiB' } })
    await test.untilType('series:fired')
    expect((await test.host.schedule(task)).series.id).toBe('s')
    const refusals = [
      () => test.host.schedule({ ...task, id: 't' }),
      () => test.host.updateSeries('s', { text: 'echo more' }),
      () => test.host.runSeriesNow('s'),
    ]
    for (const refused of refusals) await expect(refused()).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await test.host.listSeries({})).toHaveLength(2)
    await test.host.pauseSeries('s')
    await test.host.resumeSeries('s')
    await test.host.cancelSeries('s')
  })

  it('(F1) tells a sender when to try again, and the log of the disk alone, however many are refused', async () => {
    const log: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(line) })
    const test = await startHost(groups, { limits: { diskFloor: '1000000GiB' } }, { logger })
    for (let sent = 0; sent < 3; sent += 1) {
      const { status, headers } = await ask(test, 'POST', SEND, { text: 'echo no' })
      expect([status, headers.get('retry-after')]).toEqual([507, '60'])
    }
    await test.untilType('disk:low')
    await until(() => expect(log.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['disk:low']))
  })
})
