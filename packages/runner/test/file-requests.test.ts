import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileMailbox } from '../src/file-mailbox/file-mailbox.ts'
import { FileRequests } from '../src/requests/file-requests.ts'
import { realRunnerWorld } from '../src/world.ts'
import { HostSide, untilTrue } from './host-side.ts'

const LIST = { action: 'list_tasks' } as const
const NEVER = new AbortController().signal

let host: HostSide
let requests: FileRequests
let mailbox: FileMailbox

beforeEach(async () => {
  host = new HostSide()
  host.grant(1)
  requests = openRequests(1)
  const { inDir, outDir } = host
  mailbox = new FileMailbox({ inDir, outDir, epoch: 1, world: realRunnerWorld, log: () => {}, onStep: null })
  await mailbox.open()
})

afterEach(async () => {
  await requests.close()
  await mailbox.close()
  host.remove()
})

function openRequests(epoch: number | null): FileRequests {
  const { inDir, outDir } = host
  return new FileRequests({ inDir, outDir, epoch, world: realRunnerWorld, log: () => {} })
}

describe('asking the host by way of files', () => {
  it('writes the request, waits, and brings the answer', async () => {
    const asked = requests.ask({ action: 'pause_task', task: 't-1' }, 60_000, NEVER)
    await untilTrue(() => host.replies().length === 1)
    const [row] = host.replies()
    expect(row).toMatchObject({ kind: 'system', epoch: 1, seq: 1, in_reply_to: null })
    expect(JSON.parse(row?.content ?? '')).toEqual({ action: 'pause_task', task: 't-1' })
    host.answer('another', 'ok', 'not this one')
    host.answer(row?.id ?? '', 'refused', 'No.')
    expect(await asked).toEqual({ status: 'refused', text: 'No.' })
  })

  it('brings an answer that is there before the first look', async () => {
    const { newId } = realRunnerWorld
    const known = new FileRequests({
      inDir: host.inDir,
      outDir: host.outDir,
      epoch: null,
      world: { ...realRunnerWorld, newId: (prefix) => (prefix === 'req-' ? 'req-known' : newId(prefix)) },
      log: () => {},
    })
    host.answer('req-known', 'ok', 'Done.')
    expect(await known.ask(LIST, 60_000, NEVER)).toEqual({ status: 'ok', text: 'Done.' })
    await known.close()
  })

  it('gives up waiting in time, and when it is told to, and the request stands', async () => {
    expect(await requests.ask(LIST, 1, NEVER)).toBeNull()
    const ending = new AbortController()
    const asked = requests.ask(LIST, 60_000, ending.signal)
    await untilTrue(() => host.replies().length === 2)
    ending.abort()
    expect(await asked).toBeNull()
    expect(await requests.ask(LIST, 60_000, AbortSignal.abort())).toBeNull()
    expect(host.replies()).toHaveLength(3)
  })

  it('asks a host that knows no requests in vain, and no worse', async () => {
    host.writeInbound((db) => db.exec('DROP TABLE answers'))
    expect(await requests.ask(LIST, 1, NEVER)).toBeNull()
  })

  it('(A3) writes nothing for a run that is over', async () => {
    host.grant(2)
    await expect(requests.ask(LIST, 60_000, NEVER)).rejects.toMatchObject({ code: 'MAILBOX_CLOSED' })
    expect(host.replies()).toEqual([])
    const whichever = openRequests(null)
    expect(await whichever.ask(LIST, 1, NEVER)).toBeNull()
    expect(host.replies()).toMatchObject([{ epoch: 2 }])
    await whichever.close()
  })

  it('says something where the message in hand came from', async () => {
    host.send({ id: 'm1', platformId: 'room-1' }, { id: 'm2', platformId: 'room-2' })
    await requests.say('before any work')
    await mailbox.claim([{ messageId: 'm2', attempt: 1 }], IDLE)
    await requests.say('on the way')
    expect(host.texts()).toEqual(['before any work', 'on the way'])
    expect(host.replies().map(({ platform_id, kind, in_reply_to }) => [platform_id, kind, in_reply_to])).toEqual([
      [null, 'chat', null],
      ['room-2', 'chat', null],
    ])
  })

  it('(B3) shares one row of numbers with the runner, also after what was taken is deleted', async () => {
    const reply = (id: string) => {
      return mailbox.reply({ id, inReplyTo: null, content: '{}', address: NOWHERE })
    }
    const stop = mailbox.follow(() => {})
    const seen = new Set<number>()
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([reply(`a${round}`), requests.say(`b${round}`), reply(`c${round}`), requests.say(`d${round}`)])
      for (const { seq } of host.take().replies) {
        expect(seq % 2).toBe(1)
        seen.add(seq)
      }
      await mailbox.prune({ takenSeq: Math.max(...seen), messageIds: [] })
      expect(host.replies()).toEqual([])
    }
    stop()
    expect(seen.size).toBe(40)
  })
})

const NOWHERE = { platformId: null, channelType: null, threadId: null }

const IDLE = {
  tool: null,
  toolDeclaredTimeoutMs: null,
  toolExpectedMs: null,
  toolStartedAtMs: null,
  progressAtMs: null,
  progressSeq: 0,
  openWork: { tools: [], wait: null },
}
