import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formatTimestamp, HEARTBEAT_FILE } from '@sessiond/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentContext, AgentHandler } from '../src/agent-context.ts'
import { RetryLater } from '../src/retry-later.ts'
import type { Step } from '../src/steps.ts'
import { HostSide, textOf, until, untilTrue } from './host-side.ts'
import { type LoopRunner, type LoopRunnerOptions, runLoop } from './loop-runner.ts'

let host: HostSide
let runners: LoopRunner[]

beforeEach(() => {
  host = new HostSide()
  runners = []
  host.grant(1)
})

afterEach(async () => {
  await Promise.allSettled(runners.map((runner) => runner.stop()))
  host.remove()
})

function start(handler: AgentHandler, options?: LoopRunnerOptions): LoopRunner {
  const runner = runLoop(host, handler, options)
  runners.push(runner)
  return runner
}

const echo: AgentHandler = (messages) => `echo: ${messages.map(({ text }) => text).join('+')}`

/** A handler that waits until the test lets it go on, or until it is told to stop. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const aborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  return { open: resolve, pass: (signal: AbortSignal) => Promise.race([promise, aborted(signal)]), promise }
}

describe('claiming', () => {
  it('answers a message with what the handler returns, in one transaction with its completion', async () => {
    host.send({ id: 'm1', text: 'hello', platformId: 'p1' })
    start(echo)
    const ack = await host.untilAck('m1', 'completed')
    expect(ack).toMatchObject({ epoch: 1, attempt: 1, error: null, retry_at: null })
    const [reply] = host.replies()
    expect(reply).toMatchObject({ seq: 1, in_reply_to: 'm1', epoch: 1, kind: 'chat', platform_id: 'p1' })
    expect(reply?.content).toBe('{"text":"echo: hello"}')
  })

  it('(I5) works oldest first and waits for nothing between messages', async () => {
    const handled: string[] = []
    const looks: Step[] = []
    const ids = Array.from({ length: 35 }, (_, index) => `m${index}`)
    host.send(...ids.map((id) => ({ id })))
    start(
      ([message]) => {
        handled.push(message?.id ?? '')
      },
      { onStep: (step) => step === 'looked' && looks.push(step) },
    )
    await untilTrue(() => handled.length === ids.length)
    expect(handled).toEqual(ids)
    expect(looks, 'one look is enough for all of them').toHaveLength(1)
  })

  it.each([
    [
      'Europe/Berlin',
      'Europe/Berlin',
      /^Time zone: Europe\/Berlin\. Now: \w+ \d{4}-\d\d-\d\d \d\d:\d\d \(\+0[12]:00\)/,
    ],
    [null, 'UTC', /^Time zone: UTC\. Now: /],
    ['Mars/Base', 'UTC', /^Time zone: UTC \(the session's zone "Mars\/Base" is not known here\)\. Now: /],
  ])('tells the handler of a session in %j that it is in %s', async (stated, timeZone, line) => {
    const seen: string[] = []
    host.writeInbound((db) => db.prepare('UPDATE run SET time_zone = ?').run(stated))
    host.send({ id: 'm1', content: '{"text":"yes","replyTo":{"text":"lunch?"}}' })
    start(([message], context) => {
      seen.push(context.timeZone, context.tellTime(), message?.replyTo?.text ?? '')
    })
    await host.untilAck('m1', 'completed')
    expect(seen).toEqual([timeZone, expect.stringMatching(line), 'lunch?'])
  })

  it('claims in one transaction what it hands over as a batch, oldest first', async () => {
    const seen: string[][] = []
    host.send({ id: 'm1' }, { id: 'm2' }, { id: 'm3' })
    start(
      (messages) => {
        seen.push(host.acks().map(({ message_id, status }) => `${message_id} ${status}`))
        seen.push(messages.map(({ id }) => id))
        return 'done'
      },
      { per: 'batch' },
    )
    await host.untilAck('m3', 'completed')
    expect(seen).toEqual([
      ['m1 processing', 'm2 processing', 'm3 processing'],
      ['m1', 'm2', 'm3'],
    ])
    expect(host.replies().map((reply) => reply.in_reply_to)).toEqual(['m3'])
    expect(host.acks().map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
  })

  it('claims one message at a time when it hands them over one by one, so that blame hits the right one', async () => {
    const seen: string[][] = []
    host.send({ id: 'm1' }, { id: 'm2' })
    start(() => {
      seen.push(
        host
          .acks()
          .filter(({ status }) => status === 'processing')
          .map((ack) => ack.message_id),
      )
    })
    await host.untilAck('m2', 'completed')
    expect(seen).toEqual([['m1'], ['m2']])
  })

  it('sees a message that comes while it waits', async () => {
    start(echo)
    await until(() => host.acks())
    host.send({ id: 'late' })
    await host.untilAck('late', 'completed')
  })

  it('hands context over only together with a message that asks for something', async () => {
    const batches: string[][] = []
    const runner = start((messages) => {
      batches.push(messages.map(({ id, isContext }) => `${id}${isContext ? ' (context)' : ''}`))
    })
    host.send({ id: 'c1', trigger: 0 })
    host.send({ id: 'm1' }, { id: 'c2', trigger: 0 })
    await host.untilAck('m1', 'completed')
    host.send({ id: 'm2' })
    await host.untilAck('m2', 'completed')
    await runner.stop()
    expect(batches).toEqual([
      ['c1 (context)', 'm1'],
      ['c2 (context)', 'm2'],
    ])
  })

  it('(B5) hands on_wake messages out on the first look only', async () => {
    const handled: string[] = []
    host.send({ id: 'wake1', onWake: 1 })
    start(([message]) => {
      handled.push(message?.id ?? '')
    })
    await host.untilAck('wake1', 'completed')
    host.send({ id: 'wake2', onWake: 1 }, { id: 'm1' })
    await host.untilAck('m1', 'completed')
    expect(handled).toEqual(['wake1', 'm1'])
  })

  it('leaves a message alone until it is due, and needs no change of the file to notice', async () => {
    const handledAtMs: number[] = []
    const dueAtMs = Date.now() + 150
    host.send({ id: 'later', processAfter: formatTimestamp(dueAtMs) })
    start(() => {
      handledAtMs.push(Date.now())
    })
    await host.untilAck('later', 'completed')
    expect(handledAtMs[0]).toBeGreaterThanOrEqual(dueAtMs)
  })

  it('works a message again when it is handed out again, and not before', async () => {
    let calls = 0
    host.send({ id: 'm1' })
    start(() => {
      calls += 1
      if (calls === 1) throw new Error('not today')
      return 'better'
    })
    const failed = await host.untilAck('m1', 'failed')
    expect(failed).toMatchObject({ error: 'not today', attempt: 1, retry_at: null })
    host.send({ id: 'm2' })
    await host.untilAck('m2', 'completed')
    expect(calls, 'a failed acknowledgement of this attempt stands').toBe(2)
    host.retry('m1', 2)
    const completed = await host.untilAck('m1', 'completed')
    expect(completed.attempt).toBe(2)
  })

  it('takes over a claim that a run before it has left, but nothing that was ended', async () => {
    const runner = start(echo)
    await until(() => host.acks())
    await runner.stop()
    host.send({ id: 'left' }, { id: 'ended' })
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(host.outboundPath)
    db.exec(`INSERT INTO processing_ack (message_id, status, status_changed, epoch, attempt)
             VALUES ('left', 'processing', '', 1, 1), ('ended', 'completed', '', 1, 1)`)
    db.close()
    host.grant(2)
    const handled: string[] = []
    start(
      ([message]) => {
        handled.push(message?.id ?? '')
      },
      { epoch: 2 },
    )
    await host.untilAck('left', 'completed')
    host.send({ id: 'm3' })
    await host.untilAck('m3', 'completed')
    expect(handled).toEqual(['left', 'm3'])
  })

  it('reads content of other hosts: plain text, and objects without a text', async () => {
    const texts: string[] = []
    host.send({ id: 'm1', content: 'plain' }, { id: 'm2', content: '{"x":1}' }, { id: 'm3', content: '"quoted"' })
    start(([message]) => {
      texts.push(message?.text ?? '')
    })
    await host.untilAck('m3', 'completed')
    expect(texts).toEqual(['plain', '{"x":1}', 'quoted'])
  })
})

describe('answering', () => {
  it('(B3) has an explicit reply on disk before anything is acknowledged', async () => {
    const seen: unknown[] = []
    host.send({ id: 'm1' })
    start(async (_, context) => {
      await context.reply('first')
      seen.push(
        host.replies().map((reply) => reply.in_reply_to),
        host.ack('m1')?.status,
      )
    })
    await host.untilAck('m1', 'completed')
    expect(seen).toEqual([['m1'], 'processing'])
    expect(host.texts()).toEqual(['first'])
  })

  it('completes an answered message even when its handler throws afterwards', async () => {
    host.send({ id: 'm1' })
    start(async (_, context) => {
      await context.reply('answer')
      throw new Error('afterwards')
    })
    const ack = await host.untilAck('m1', 'completed')
    expect(ack.error).toBe('afterwards')
  })

  it('(I6) fails the messages of a batch that were not answered, and only those', async () => {
    host.send({ id: 'm1' }, { id: 'm2' }, { id: 'm3' })
    start(
      async (messages, context) => {
        await context.reply('to the second', messages[1] === undefined ? {} : { to: messages[1] })
        throw new Error('half way')
      },
      { per: 'batch' },
    )
    await host.untilAck('m3', 'failed')
    const seen = host.acks().map(({ message_id, status }) => `${message_id} ${status}`)
    expect(seen).toEqual(['m1 failed', 'm2 completed', 'm3 failed'])
  })

  it('(I6) acknowledges a follow-up only with its own answer', async () => {
    const { open, pass } = gate()
    host.send({ id: 'm1' })
    start(async (messages, context) => {
      await pass(context.signal)
      return `to ${messages.at(-1)?.id}`
    })
    await host.untilAck('m1', 'processing')
    host.send({ id: 'follow-up' })
    await until(() => host.ack('m1'))
    expect(host.ack('follow-up')).toBeUndefined()
    open()
    await host.untilAck('follow-up', 'completed')
    expect(host.texts()).toEqual(['to m1', 'to follow-up'])
  })

  it('waits for replies that a handler has not waited for', async () => {
    host.send({ id: 'm1' })
    start((_, context) => {
      void context.say('on the way')
      void context.reply('the answer')
    })
    await host.untilAck('m1', 'completed')
    expect(host.replies().map((reply) => [textOf(reply), reply.in_reply_to, reply.seq])).toEqual([
      ['on the way', null, 1],
      ['the answer', 'm1', 3],
    ])
  })

  it('(C13) writes nothing for a batch that has ended', async () => {
    const contexts: AgentContext[] = []
    host.send({ id: 'm1' })
    start((_, context) => {
      contexts.push(context)
    })
    await host.untilAck('m1', 'completed')
    await expect(contexts[0]?.reply('too late')).rejects.toThrow('has ended')
    await expect(contexts[0]?.say('too late')).rejects.toThrow('has ended')
    expect(host.replies()).toEqual([])
  })

  it('refuses to answer a message that is not in the batch', async () => {
    host.send({ id: 'm1' })
    start((_, context) => context.reply('whom?', { to: 'other' }))
    expect((await host.untilAck('m1', 'failed')).error).toContain('"other"')
  })

  it('completes without a reply when the handler returns nothing, or nothing to read', async () => {
    host.send({ id: 'm1' }, { id: 'm2' })
    start(([message]) => (message?.id === 'm1' ? undefined : ''))
    await host.untilAck('m2', 'completed')
    expect(host.replies()).toEqual([])
  })

  it('cuts a reply that is longer than a message may be, and says so', async () => {
    host.send({ id: 'm1' })
    // A control character takes six bytes in JSON.
    start(() => '\u007f\u0001'.repeat(512 * 1024))
    await host.untilAck('m1', 'completed')
    const content = host.replies()[0]?.content ?? ''
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2 * 1024 * 1024)
    expect(JSON.parse(content).text).toMatch(/\n\[cut: .*\]$/)
  })
})

describe('failing', () => {
  it('(B16) passes on when trying again makes sense', async () => {
    host.send({ id: 'm1' }, { id: 'm2' })
    const at = new Date(Date.now() + 3_600_000)
    start(([message]) => {
      throw new RetryLater(message?.id === 'm1' ? at : 60_000, 'limit reached')
    })
    const first = await host.untilAck('m1', 'failed')
    expect(first).toMatchObject({ error: 'limit reached', retry_at: formatTimestamp(at.getTime()) })
    const second = await host.untilAck('m2', 'failed')
    expect(Date.parse(second.retry_at ?? '')).toBeGreaterThan(Date.now())
  })

  it.each([
    ['an error without words', new Error(''), 'Error'],
    ['a string', 'no', 'no'],
    ['nothing at all', undefined, 'undefined'],
    ['an endless error', new Error('x'.repeat(100_000)), 'x'.repeat(4096)],
  ])('acknowledges as failed when the handler throws %s', async (_, thrown, text) => {
    host.send({ id: 'm1' })
    start(() => {
      throw thrown
    })
    expect((await host.untilAck('m1', 'failed')).error).toBe(text)
  })
})

describe('ending early', () => {
  it('aborts the work on a message the host gave up, and goes on', async () => {
    host.send({ id: 'm1' })
    start(async ([message], context) => {
      if (message?.id === 'm1') await gate().pass(context.signal)
      return 'done'
    })
    await host.untilAck('m1', 'processing')
    host.cancel('m1')
    expect((await host.untilAck('m1', 'failed')).error).toBe('cancelled')
    host.send({ id: 'm2' })
    await host.untilAck('m2', 'completed')
    expect(host.replies().map((reply) => reply.in_reply_to)).toEqual(['m2'])
  })

  it('gives the rest of a batch back without blame when one of it is cancelled', async () => {
    host.send({ id: 'm1' }, { id: 'm2' })
    start((_, context) => gate().pass(context.signal), { per: 'batch' })
    await host.untilAck('m2', 'processing')
    host.cancel('m1')
    expect(await host.untilAck('m1', 'failed')).toMatchObject({ error: 'cancelled', retry_at: null })
    expect((await host.untilAck('m2', 'failed')).retry_at).not.toBeNull()
  })

  it('aborts the work on a message that was withdrawn while it was being claimed', async () => {
    const reasons: unknown[] = []
    host.send({ id: 'm1' }, { id: 'm2' })
    start(
      async ([message], context) => {
        if (message?.id === 'm1')
          await gate()
            .pass(context.signal)
            .finally(() => reasons.push(context.signal.aborted))
        return 'done'
      },
      { per: 'message' },
    )
    await host.untilAck('m1', 'processing')
    host.withdraw('m1')
    await host.untilAck('m2', 'completed')
    expect(reasons).toEqual([true])
    expect(host.replies().map((reply) => reply.in_reply_to)).toEqual(['m2'])
  })

  it('is not disturbed by the end of a message it does not hold', async () => {
    const { open, promise } = gate()
    const signals: AbortSignal[] = []
    host.send({ id: 'm1' }, { id: 'other', processAfter: '2999-01-01T00:00:00Z' })
    let looks = 0
    start(
      async (_, context) => {
        signals.push(context.signal)
        await promise
      },
      {
        onStep: (step) => {
          if (step === 'looked') looks += 1
        },
      },
    )
    await host.untilAck('m1', 'processing')
    host.cancel('other')
    await untilTrue(() => looks === 2)
    expect(signals[0]?.aborted).toBe(false)
    open()
    await host.untilAck('m1', 'completed')
  })

  it('leaves interrupted work claimed when the run has to stop', async () => {
    host.send({ id: 'm1' }, { id: 'm2' })
    const runner = start((_, context) => gate().pass(context.signal))
    await host.untilAck('m1', 'processing')
    expect(await runner.stop()).toBe('stopped')
    expect(host.acks().map(({ message_id, status }) => [message_id, status])).toEqual([['m1', 'processing']])
  })

  it('keeps an answer that comes while the run stops', async () => {
    const { open, promise } = gate()
    host.send({ id: 'm1' })
    const runner = start(async () => {
      await promise
      return 'just in time'
    })
    await host.untilAck('m1', 'processing')
    const ended = runner.stop()
    open()
    await ended
    expect(host.ack('m1')?.status).toBe('completed')
    expect(host.texts()).toEqual(['just in time'])
  })

  it('takes a silent return during a stop for an interruption, not for an end', async () => {
    host.send({ id: 'm1' })
    const runner = start((_, context) =>
      gate()
        .pass(context.signal)
        .catch(() => {}),
    )
    await host.untilAck('m1', 'processing')
    await runner.stop()
    expect(host.ack('m1')?.status).toBe('processing')
  })

  it('waits only so long for a handler that does not let go', async () => {
    host.send({ id: 'm1' })
    const { open, promise } = gate()
    const runner = start(() => promise, { settleMs: 20 })
    await host.untilAck('m1', 'processing')
    expect(await runner.stop()).toBe('stopped')
    expect(host.ack('m1')?.status).toBe('processing')
    open()
  })

  it('ends in time although the host holds the outbox locked', async () => {
    host.send({ id: 'm1' })
    const { open, promise } = gate()
    const runner = start(() => promise, { settleMs: 50 })
    await host.untilAck('m1', 'processing')
    const { DatabaseSync } = await import('node:sqlite')
    const reader = new DatabaseSync(host.outboundPath, { readOnly: true })
    reader.exec('BEGIN; SELECT count(*) FROM processing_ack')
    open()
    expect(await runner.stop()).toBe('stopped')
    reader.close()
    expect(host.ack('m1')?.status).toBe('processing')
  })

  it('ends as superseded when the mailbox belongs to another epoch, and writes nothing more', async () => {
    const failures: unknown[] = []
    host.send({ id: 'm1' })
    const runner = start(async (_, context) => {
      await gate()
        .pass(context.signal)
        .catch(() => {})
      await context.reply('stale').catch((error: unknown) => failures.push(error))
      return 'stale'
    })
    await host.untilAck('m1', 'processing')
    host.grant(2)
    expect(await runner.ended).toBe('superseded')
    expect(host.replies()).toEqual([])
    expect(host.ack('m1')?.status).toBe('processing')
    expect(failures).toHaveLength(1)
  })

  it('claims nothing from a mailbox of another epoch', async () => {
    host.grant(7)
    host.send({ id: 'm1' })
    expect(await start(echo).ended).toBe('superseded')
    expect(host.acks()).toEqual([])
  })
})

describe('what the run tells of itself', () => {
  it('beats at once', async () => {
    start(echo)
    await until(() => statSync(join(host.outDir, HEARTBEAT_FILE)))
    expect(readFileSync(join(host.outDir, HEARTBEAT_FILE))).toHaveLength(0)
  })

  it('shows the newest open tool with its lease, and none when all have ended', async () => {
    const { open, promise } = gate()
    const outer = gate()
    host.send({ id: 'm1' })
    start(async (_, context) => {
      context.tool('outer', { timeoutMs: 60_000 })
      const inner = context.tool('inner', { timeoutMs: 5_000, expectedMs: 100 })
      await promise
      inner.end()
      inner.end()
      await outer.promise
    })
    await until(() => expect(host.state()?.current_tool).toBe('inner'))
    expect(host.state()).toMatchObject({ tool_declared_timeout_ms: 5_000, tool_expected_ms: 100, progress_seq: 2 })
    open()
    await until(() => expect(host.state()?.current_tool).toBe('outer'))
    expect(host.state()).toMatchObject({ tool_declared_timeout_ms: 60_000, tool_expected_ms: null })
    outer.open()
    await host.untilAck('m1', 'completed')
    expect(host.state()?.current_tool, 'a forgotten lease ends with its batch').toBeNull()
  })

  it('starts a renewed lease anew', async () => {
    const { open, promise } = gate()
    const end = gate()
    host.send({ id: 'm1' })
    start(async (_, context) => {
      const lease = context.tool('slow', { timeoutMs: 1_000 })
      await promise
      lease.renew()
      await end.promise
    })
    const first = await until(() => {
      const startedAt = host.state()?.tool_started_at
      if (startedAt === undefined || startedAt === null) throw new Error('no lease yet')
      return startedAt
    })
    await untilTrue(() => formatTimestamp(Date.now()) > first)
    open()
    await untilTrue(() => (host.state()?.tool_started_at ?? first) > first)
    end.open()
    await host.untilAck('m1', 'completed')
  })

  it('counts progress without a write for each', async () => {
    let writes = 0
    host.send({ id: 'm1' })
    const runner = start(async (_, context) => {
      for (let step = 0; step < 500; step += 1) context.progress(`step ${step}`)
      await until(() => expect(host.state()?.progress_seq).toBeGreaterThan(0))
      writes = Number(host.readOutbound<{ n: number }>('SELECT progress_seq AS n FROM container_state')[0]?.n)
    })
    await host.untilAck('m1', 'completed')
    expect(writes, 'all are written together, soon after the claim').toBe(500)
    expect(host.state()?.progress_seq).toBe(500)
    expect(runner.lines).toContain('step 499')
  })

  it('keeps values of the session for its runs to come', async () => {
    host.send({ id: 'm1' })
    const first = start(async (_, context) => {
      await context.state.set('resume', 'abc')
      return context.state.get('resume')
    })
    await host.untilAck('m1', 'completed')
    await first.stop()
    host.grant(2)
    host.send({ id: 'm2' })
    start((_, context) => context.state.get('resume'), { epoch: 2 })
    await host.untilAck('m2', 'completed')
    expect(host.texts()).toEqual(['abc', 'abc'])
  })

  it('refuses values the host would not keep', async () => {
    host.send({ id: 'm1' })
    start(async (_, { state }) => {
      await expect(state.set('', 'x')).rejects.toThrow(RangeError)
      await expect(state.set('k'.repeat(129), 'x')).rejects.toThrow(RangeError)
      await expect(state.set('k', 'x'.repeat(64 * 1024 + 1))).rejects.toThrow(RangeError)
      for (let key = 0; key < 256; key += 1) await state.set(`k${key}`, 'x')
      await expect(state.set('one-more', 'x')).rejects.toThrow(RangeError)
      await state.set('k0', 'y')
    })
    expect((await host.untilAck('m1', 'completed')).error).toBeNull()
  })
})

describe('over a long life', () => {
  it('keeps the outbox small and its numbers growing over 1,000 messages', { timeout: 120_000 }, async () => {
    let highestSeq = 0
    let answered = 0
    start(echo)
    await until(() => host.acks())
    for (let round = 0; round < 20; round += 1) {
      const ids = Array.from({ length: 50 }, (_, index) => `m${round}-${index}`)
      host.send(...ids.map((id) => ({ id })))
      await host.untilAck(ids.at(-1) ?? '', 'completed')
      const { replies } = host.take()
      const seqs = replies.map(({ seq }) => seq).filter((seq) => seq > highestSeq)
      expect(seqs.every((seq) => seq % 2 === 1)).toBe(true)
      highestSeq = seqs.at(-1) ?? 0
      answered += seqs.length
    }
    await until(() => {
      expect(host.replies()).toEqual([])
      expect(host.acks()).toEqual([])
    })
    expect(answered).toBe(1_000)
    expect(highestSeq).toBeGreaterThanOrEqual(1_999)
    expect(statSync(host.outboundPath).size).toBeLessThan(200_000)
  })

  it('continues the numbers of earlier runs', async () => {
    host.grant(1, 41)
    host.send({ id: 'm1' })
    start(echo)
    await host.untilAck('m1', 'completed')
    expect(host.replies()[0]?.seq).toBe(43)
  })
})
