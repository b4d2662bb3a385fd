import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, type RuntimeName, shellGroup, startHost, type TestHost, textOf, untilFile } from './harness.ts'

afterEach(cleanUp)

/** Signals every process of the first run, as the kernel or an administrator might. */
function signalRun(test: TestHost, signal: NodeJS.Signals): void {
  const handle = String(test.events.find((event) => event.type === 'run:started')?.detail.handle)
  for (const pid of runPids(handle)) {
    try {
      process.kill(pid, signal)
    } catch {
      // It went with its parent.
    }
  }
}

function runPids(handle: string): number[] {
  if (/^\d+:/.test(handle)) return [-Number(handle.split(':')[0])]
  const listed = execFileSync('docker', ['top', handle, '-o', 'pid'], { encoding: 'utf8' })
  return listed.trim().split('\n').slice(1).map(Number)
}

function exerciseTurns(runtime: RuntimeName): void {
  const shell = { shell: shellGroup(runtime) }

  it('answers a message in the session’s own workspace, which lasts', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', text: 'echo one > note; echo made' })
    await test.untilType('message:completed')
    await test.host.send({ group: 'shell', text: 'cat note' })
    await test.untilType('message:completed', 2)
    expect(test.replies()).toEqual(['made', 'one'])
    expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(1)
  })

  it('keeps sessions apart and lets the workspace outlive a run', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', session: 'a', text: 'echo mine > note' })
    await test.host.send({ group: 'shell', session: 'b', text: 'ls | wc -l' })
    await test.untilType('message:completed', 2)
    await test.restart()
    await test.host.send({ group: 'shell', session: 'a', text: 'cat note' })
    await test.untilType('message:completed', 3)
    expect(
      test
        .replies()
        .map((text) => text.trim())
        .sort(),
    ).toEqual(['0', 'mine'])
    const detail = await test.host.showSession('shell/a')
    expect(detail.session.epoch).toBe(2)
  })

  it('is idempotent by id', async () => {
    const test = await startHost(shell)
    const request = { group: 'shell', id: 'once', text: 'echo done' }
    expect((await test.host.send(request)).duplicate).toBe(false)
    await test.untilType('message:completed')
    expect(await test.host.send(request)).toMatchObject({ messageId: 'once', duplicate: true })
    await expect(test.host.send({ ...request, text: 'other' })).rejects.toMatchObject({ code: 'MESSAGE_ID_CONFLICT' })
    expect(test.replies()).toEqual(['done'])
  })

  it('(I5) answers a backlog oldest first, without waiting between batches', async () => {
    const test = await startHost(shell)
    const requests = Array.from({ length: 40 }, (_, index) => ({ group: 'shell', text: `echo ${index}` }))
    await test.host.sendMany(requests)
    await test.untilType('message:completed', 40)
    expect(test.replies()).toEqual(requests.map((_, index) => String(index)))
    expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(1)
  })

  it('(B1) retries a failing message with back-off, dead-letters it and tells the user once; a replay completes it', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', id: 'm', text: 'test -e fixed && exec echo ok; echo why >&2; exit 3' })
    const failed = await test.untilType('message:failed')
    expect(failed.detail).toMatchObject({ failure: 'TRIES_EXHAUSTED', tries: 5, deadLetter: true })
    expect(test.events.filter((event) => event.type === 'message:retried').map((each) => each.detail.tries)).toEqual([
      1, 2, 3, 4,
    ])
    await test.until('the telling', (event) => event.reply?.epoch === null)
    expect(test.replies()).toEqual([expect.stringMatching(/could not be completed after 5 tries: .*why/s)])
    expect(await test.host.listDead({})).toMatchObject([{ kind: 'message', message: { id: 'm' } }])
    await test.host.send({ group: 'shell', text: 'touch fixed' })
    await test.untilType('message:completed')
    await test.host.replayDead('m')
    await test.untilType('message:completed', 2)
    expect(await test.host.listDead({})).toEqual([])
    expect(test.replies().slice(1)).toEqual(['ok'])
  })

  it('(B16) comes back when a rate limit ends, spending no try', async () => {
    const test = await startHost({ shell: shellGroup(runtime, { retry: { maxTries: 1, base: '20ms', max: '20ms' } }) })
    const text = 'test -e tried && exec echo ok; touch tried; echo "retry-after: 0" >&2; exit 75'
    await test.host.send({ group: 'shell', text })
    await test.untilType('message:completed')
    const retried = await test.untilType('message:retried')
    expect(retried.detail).toMatchObject({ because: 'agent-deferred', tries: 0 })
    expect(test.replies()).toEqual(['ok'])
  })

  it('spends a try on a message whose run dies under it, and answers with the next run', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', text: 'test -e tried && exec echo again; touch tried; sleep 600' })
    await untilFile(test, 'shell/main', 'tried')
    signalRun(test, 'SIGKILL')
    await test.untilType('message:completed')
    expect((await test.untilType('message:retried')).detail).toMatchObject({ because: 'exited', tries: 1 })
    expect(test.replies()).toEqual(['again'])
    expect((await test.host.listRuns('shell/main')).map((run) => run.epoch)).toEqual([2, 1])
  })

  it('tells the next try what came of the last, so that it need not be done again', async () => {
    const test = await startHost(shell)
    const text = 'test -e tried && exec echo "$SESSIOND_BRIEF"; touch tried; sleep 600'
    await test.host.send({ group: 'shell', text })
    await untilFile(test, 'shell/main', 'tried')
    signalRun(test, 'SIGKILL')
    await test.untilType('message:completed')
    expect(test.replies()).toEqual([
      expect.stringMatching(/^You have worked on this message before: this is attempt 2, and 1 of 5 tries are spent\./),
    ])
  })

  it('kills a run frozen after its claim, says on which numbers, and retries', async () => {
    const stuck = { policy: 'classic', claimSilent: '1s', ceiling: '60s' } as const
    const agent = { command: ['sh'], timeout: '1s' }
    const runs = { stopGrace: '300ms', killWait: '3s', cancelGrace: '500ms' }
    const test = await startHost({ shell: shellGroup(runtime, { stuck, agent }) }, { runs })
    await test.host.send({ group: 'shell', id: 'm', text: 'test -e tried && exec echo again; touch tried; sleep 600' })
    await untilFile(test, 'shell/main', 'tried')
    // Frozen in the middle of a write it would hold the lock, and a claim not yet read would stay unseen behind it.
    await test.untilType('message:claimed')
    signalRun(test, 'SIGSTOP')
    const stopped = await test.untilType('run:stopRequested')
    expect(stopped.detail).toMatchObject({ end: 'claim-silent', evidence: { toleranceMs: 1_000, messageId: 'm' } })
    await test.untilType('run:killSent')
    await test.untilType('message:completed')
    expect((await test.untilType('message:retried')).detail).toMatchObject({ because: 'claim-silent', tries: 1 })
    expect(test.replies()).toEqual(['again'])
  })

  it('really stops: the work ends, the message says so, what waits goes on', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', id: 'long', text: 'sleep 600; echo never' })
    await test.untilType('message:claimed')
    await test.host.send({ group: 'shell', id: 'next', text: 'echo next' })
    expect(await test.host.stopSession('shell/main')).toEqual({ cancelled: 1, runStopped: true })
    await test.untilType('message:completed')
    expect((await test.host.showMessage('long')).message).toMatchObject({
      status: 'failed',
      failure: 'CANCELLED',
      tries: 0,
      deadLetter: false,
    })
    expect(test.replies()).toEqual(['next'])
  })

  it('cancels a claimed message without ending its run', async () => {
    const test = await startHost({ shell: shellGroup(runtime) }, { runs: { cancelGrace: '20s', stopGrace: '3s' } })
    await test.host.send({ group: 'shell', id: 'long', text: 'sleep 600; echo never' })
    await test.untilType('message:claimed')
    expect(await test.host.cancelMessage('long')).toBe('requested')
    const failed = await test.untilType('message:failed')
    expect(failed.detail).toMatchObject({ failure: 'CANCELLED' })
    await test.host.send({ group: 'shell', text: 'echo still here' })
    await test.untilType('message:completed')
    expect(test.events.filter((event) => event.type === 'run:started')).toHaveLength(1)
    expect(test.replies()).toEqual(['still here'])
  })

  it('cancels a waiting message at once and refuses to cancel an ended one', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', id: 'later', text: 'echo never', after: '1h' })
    expect(await test.host.cancelMessage('later')).toBe('cancelled')
    await expect(test.host.cancelMessage('later')).rejects.toMatchObject({ code: 'MESSAGE_NOT_OPEN' })
  })

  it('closes a session: its work ends, nothing is taken any more', async () => {
    const test = await startHost(shell)
    await test.host.send({ group: 'shell', id: 'long', text: 'sleep 600' })
    await test.host.send({ group: 'shell', id: 'later', text: 'echo x', after: '1h' })
    await test.untilType('message:claimed')
    expect(await test.host.closeSession('shell/main')).toBe('closed')
    await test.untilType('run:exited')
    for (const id of ['long', 'later']) {
      expect((await test.host.showMessage(id)).message).toMatchObject({ status: 'failed', failure: 'SESSION_CLOSED' })
    }
    await expect(test.host.send({ group: 'shell', text: 'x' })).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
  })

  it('(D17) stops a run that idles, and wakes a new one for the next message', async () => {
    const test = await startHost({ shell: shellGroup(runtime, { idleStop: '50ms' }) })
    await test.host.send({ group: 'shell', text: 'echo one' })
    expect((await test.untilType('run:exited')).detail).toMatchObject({ end: 'idle' })
    await test.host.send({ group: 'shell', text: 'echo two' })
    await test.untilType('message:completed', 2)
    expect(test.replies()).toEqual(['one', 'two'])
  })

  it('(D16) never runs more than the cap, and idle runs make room', async () => {
    const test = await startHost(shell, { runs: { max: 2, maxStarting: 2, stopGrace: '3s' } })
    for (let index = 0; index < 6; index += 1) {
      await test.host.send({ group: 'shell', session: `s${index}`, text: `echo ${index}` })
    }
    await test.untilType('message:completed', 6)
    let live = 0
    for (const { type } of test.events) {
      if (type === 'run:intended') live += 1
      if (type === 'run:exited') live -= 1
      expect(live).toBeLessThanOrEqual(2)
    }
  })

  it('(D9, H1) counts failed starts apart, tells the user after the third, spends no try', async () => {
    const broken = shellGroup(
      runtime,
      runtime === 'docker' ? { image: 'sessiond-test:absent' } : { runner: { command: ['no-such-program'] } },
    )
    const { agent: _, ...runnerGroup } = broken
    const test = await startHost({ broken: runtime === 'docker' ? broken : runnerGroup })
    await test.host.send({ group: 'broken', id: 'm', text: 'x' })
    const told = await test.until('the telling', (event) => event.reply?.epoch === null)
    expect(textOf(told.reply?.content ?? '')).toMatch(/could not be started 3 times in a row/)
    expect((await test.host.showMessage('m')).message).toMatchObject({ status: 'pending', tries: 0 })
    expect(test.events.filter((event) => event.type === 'run:spawnFailed').length).toBeGreaterThanOrEqual(3)
  })

  it('(I8) takes in what a run said just before it ended', async () => {
    const test = await startHost({ shell: shellGroup(runtime, { idleStop: '1s' }) })
    await test.host.send({ group: 'shell', text: 'echo last words' })
    await test.untilType('message:completed')
    await test.host.stop()
    expect(test.replies()).toEqual(['last words'])
  })

  it('delivers replies to a signed webhook and counts them delivered once confirmed', async () => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        bodies.push(body)
        response.end('{"messageId":"p-1"}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const sinks = { hook: { url: `http://127.0.0.1:${port}/`, secret: 'k'.repeat(32) } }
    try {
      const test = await startHost({ shell: shellGroup(runtime, { sinks: ['hook'] }) }, { sinks })
      await test.host.send({ group: 'shell', text: 'echo hooked', platformId: 'chat-7' })
      await test.untilType('reply:delivered')
      expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ text: 'hooked', platformId: 'chat-7' })
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('drains on shutdown: running work finishes, and what cannot spends no try', async () => {
    const test = await startHost(shell, { shutdown: { drain: '4s' }, runs: { stopGrace: '2s' } })
    await test.host.send({ group: 'shell', session: 'quick', id: 'quick', text: 'sleep 0.3; echo finished' })
    await test.host.send({
      group: 'shell',
      session: 'long',
      id: 'long',
      text: 'test -e tried && exec echo later; touch tried; sleep 600',
    })
    await test.untilType('message:claimed', 2)
    await untilFile(test, 'shell/long', 'tried')
    await test.restart()
    expect((await test.host.showMessage('quick')).message).toMatchObject({ status: 'completed', tries: 0 })
    await test.until('the long one', (event) => event.type === 'message:completed' && event.messageId === 'long')
    expect((await test.host.showMessage('long')).message.tries).toBe(0)
    expect(test.replies().sort()).toEqual(['finished', 'later'])
  })
}

describe('turns on the process runtime', () => exerciseTurns('process'))

describeWithEngine('turns in containers', () => {
  beforeAll(ensureTestImages, 120_000)
  exerciseTurns('docker')
})
