import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Received, SseClient } from '../http/sse-client.ts'
import { ask, cliOf, spawnHost } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }

interface Listening {
  readonly dataDir: string
  readonly host: { readonly apiUrl: string | null }
}

/** Follows a host's events as an EventSource does that was cut off after `lastEventId`. */
async function follow({ dataDir, host }: Listening, lastEventId: string): Promise<SseClient> {
  const token = (await readFile(join(dataDir, 'api-token'), 'utf8')).trim()
  const headers = { authorization: `Bearer ${token}`, 'last-event-id': lastEventId }
  return new SseClient(await fetch(`${host.apiUrl}/v1/events`, { headers }))
}

async function untilCompleted(client: SseClient, messageId: string): Promise<void> {
  for (let count = 1; ; count = client.received.length + 1) {
    const received = await client.until(count)
    if (received.some(({ data }) => data.type === 'message:completed' && data.messageId === messageId)) return
  }
}

function idsOf(received: readonly Received[]): number[] {
  return received.map(({ id }) => Number(id))
}

describe('the event stream over a restart of the host', () => {
  it('resumes by Last-Event-ID after a kill -9: no event lost, none twice', async () => {
    const dataDir = await makeDataDir()
    await using first = await spawnHost({ dataDir, groups, api: { port: 0 }, log: { level: 'silent' } })
    const before: Listening = { dataDir, host: { apiUrl: first.outcome.apiUrl ?? null } }
    const one = await follow(before, '0')
    const send = async (id: string) =>
      ask(before as Parameters<typeof ask>[0], 'POST', '/v1/sessions/shell/main/messages', { id, text: `echo ${id}` })
    for (const id of ['a', 'b', 'c']) expect((await send(id)).status).toBe(202)
    await untilCompleted(one, 'b')
    await first[Symbol.asyncDispose]()
    await one.ended
    const lastEventId = one.received.at(-1)?.id ?? ''

    const test = await startHost(groups, { dataDir })
    await test.host.send({ group: 'shell', id: 'd', text: 'echo d' })
    const two = await follow(test, lastEventId)
    await untilCompleted(two, 'd')
    const ids = idsOf([...one.received, ...two.received])
    const all = await follow(test, '0')
    await all.until(ids.length)
    expect(ids).toEqual(idsOf(all.received.slice(0, ids.length)))
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
    const replies = [...one.received, ...two.received].flatMap(({ data }) => (data.reply ? [data.reply.inReplyTo] : []))
    expect(replies).toEqual(['a', 'b', 'c', 'd'])
    for (const client of [two, all]) await client.cancel()
  })

  it('ends the stream of a host that stops, and the next one goes on from there', async () => {
    const test = await startHost(groups)
    const one = await follow(test, '0')
    await test.host.send({ group: 'shell', id: 'a', text: 'echo a' })
    await untilCompleted(one, 'a')
    await test.host.stop()
    await one.ended
    await test.restart()
    const two = await follow(test, one.received.at(-1)?.id ?? '')
    await test.host.send({ group: 'shell', id: 'b', text: 'echo b' })
    await untilCompleted(two, 'b')
    const ids = idsOf([...one.received, ...two.received])
    expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index))
    await two.cancel()
  })
})

describe('sessiond sweep --once --dry-run', () => {
  it('prints each decision with its evidence and changes nothing', async () => {
    const test = await startHost(groups)
    await test.host.send({ group: 'shell', session: 'busy', id: 'm', text: 'sleep 600' })
    await test.untilType('message:claimed')
    await test.host.send({ group: 'shell', session: 'busy', id: 'next', text: 'echo next', after: '1h' })
    const cli = await cliOf(test, groups)
    const stateOf = async () => ({
      journal: await test.host.lastEventId(),
      files: ['store.db', 'store.db-wal'].map((name) => hashOf(join(test.dataDir, name))),
      inbound: hashOf(join(test.dataDir, 'sessions/shell/busy/in/inbound.db')),
      session: await test.host.showSession('shell/busy'),
    })
    const before = await stateOf()
    const { code, stdout } = await cli(['sweep', '--once', '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/shell\/busy +1 +leave +working +run="running" seen="running" claimed=1 due=0/)
    expect(stdout).toMatch(/watchedForMs=\d+.*dry run: nothing changed/s)
    const json = await cli(['sweep', '--once', '--dry-run', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      dryRun: true,
      lines: [{ sessionId: 'shell/busy', epoch: 1, action: 'leave', evidence: { claimed: 1 }, outcome: null }],
    })
    expect(await stateOf()).toEqual(before)
  })

  it('says who waits for a slot and who would get one, and gives none', async () => {
    const test = await startHost(groups, { runs: { max: 1, maxStarting: 1, stopGrace: '3s' } })
    await test.host.send({ group: 'shell', session: 'busy', text: 'sleep 600' })
    await test.untilType('message:claimed')
    await test.host.send({ group: 'shell', session: 'waits', id: 'waiting', text: 'echo waited' })
    await test.until('the wait', (event) => event.messageId === 'waiting')
    const before = await test.host.lastEventId()
    const report = await test.host.sweepOnce({ dryRun: true })
    expect(report.lines.map(({ sessionId, action, because }) => [sessionId, action, because])).toEqual([
      ['shell/busy', 'leave', 'working'],
      ['shell/waits', 'want-slot', 'due'],
    ])
    expect(await test.host.lastEventId()).toBe(before)
    expect((await test.host.showMessage('waiting')).message).toMatchObject({ status: 'pending', attempt: 0 })
  })
})

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
