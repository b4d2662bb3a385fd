import { existsSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withDatabase } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import type { Message } from '../../src/model/message.ts'
import type { Reply } from '../../src/model/reply.ts'
import { FakeHost, REPLY } from '../http/fake-host.ts'
import { makeDir, runInside, startOutside, writeConfig } from './cli-harness.ts'
import { startFakeApi } from './fake-api.ts'

/** A host whose messages end when a test says so. */
class ScriptedHost extends FakeHost {
  replies: Reply[] = []
  /** Thrown by the next looks at the message. */
  refusals: SessiondError[] = []

  override async showMessage(id: string): Promise<{ message: Message; replies: Reply[] }> {
    const refusal = this.refusals.shift()
    if (refusal !== undefined) throw refusal
    return { ...(await super.showMessage(id)), replies: this.replies.slice(-1) }
  }

  override async listReplies({ after }: { after?: string }): Promise<Reply[]> {
    const from = this.replies.findIndex((reply) => reply.id === after) + 1
    return this.replies.slice(from, from + 100)
  }

  reply(id: string, text: string): void {
    const reply = { ...REPLY, id, inReplyTo: 'm1', content: JSON.stringify({ text }), createdAtMs: this.replies.length }
    this.replies = [...this.replies, reply]
    this.emit('reply:written', 'ops/main', { reply })
  }

  end(status: 'completed' | 'failed', more: Partial<Message> = {}): void {
    const message = this.messages.get('m1')
    if (message === undefined) throw new Error('nothing was sent')
    this.messages.set('m1', { ...message, status, endedAtMs: Date.now(), answered: status === 'completed', ...more })
    this.emit('message:completed', 'ops/main', { reply: { ...REPLY, inReplyTo: 'm1' } })
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}

describe('send --wait', () => {
  it('prints each reply once, as it comes, and ends with the message', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    const run = runInside(dir.path, ['send', 'ops', 'hi', '--wait'], {
      onOut: (all) => {
        if (all === 'one\n') host.reply('r2', 'two\u001b[2J\n')
        if (all.includes('two')) host.end('completed')
      },
    })
    await until(() => host.readers > 0)
    host.reply('r1', 'one')
    expect(await run).toMatchObject({
      code: 0,
      stdout: 'one\ntwo\\e[2J\n',
      stderr: expect.stringContaining('m1 accepted'),
    })
  })

  it('ends with 1 and the reason when the message failed', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    const run = runInside(dir.path, ['send', 'ops', 'hi', '--wait'])
    await until(() => host.readers > 0)
    host.end('failed', { failure: 'TRIES_EXHAUSTED', error: 'exit code 3' })
    const { code, stderr } = await run
    expect({ code, isTold: stderr.includes('m1: failed TRIES_EXHAUSTED exit code 3') }).toEqual({
      code: 1,
      isTold: true,
    })
  })

  it('ends at once when a repeated message had ended before', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1'])
    host.reply('r1', 'done long ago')
    host.end('completed')
    const result = await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1', '--wait', '--json'])
    const [receipt, reply, ended] = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(receipt).toMatchObject({ messageId: 'm1', duplicate: true })
    expect(reply).toMatchObject({ reply: { id: 'r1' } })
    expect(ended).toMatchObject({ message: { id: 'm1', status: 'completed' } })
  })

  it('(D8) prints every reply, however many there are', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1'])
    const words = Array.from({ length: 250 }, (_each, index) => `reply ${index}`)
    for (const [index, word] of words.entries()) host.reply(`r${index}`, word)
    host.end('completed')
    const { code, stdout } = await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1', '--wait'])
    expect({ code, lines: stdout.trim().split('\n') }).toEqual({ code: 0, lines: words })
  })

  it('goes on when it is told to come again, at its first connection too', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1'])
    host.reply('r1', 'done')
    host.end('completed')
    const busy = (['RATE_LIMITED', 'STORE_BUSY', 'HOST_UNRESPONSIVE'] as const).map(
      (code) => new SessiondError(code, 'Not now.'),
    )
    host.refusals = busy
    const send = host.send.bind(host)
    host.send = async (request) => {
      const receipt = await send(request)
      host.nextError = busy[0]
      return receipt
    }
    const result = await runInside(dir.path, ['send', 'ops', 'hi', '--id', 'm1', '--wait'])
    expect(result).toMatchObject({ code: 0, stdout: 'done\n' })
    expect(host.refusals).toEqual([])
  })

  it('ends with 6 when it takes too long, and says that the message is safe', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path, new ScriptedHost())
    const { code, stderr } = await runInside(dir.path, ['send', 'ops', 'hi', '--wait', '50ms'])
    expect({ code, isTold: stderr.includes('The message is safe') }).toEqual({ code: 6, isTold: true })
  })

  it('waits a restart of the host out and finds it at its new port', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using api = await startFakeApi(dir.path, host)
    const run = runInside(dir.path, ['send', 'ops', 'hi', '--wait'])
    await until(() => host.readers > 0)
    await api.stopListening()
    host.reply('r1', 'written meanwhile')
    host.end('completed')
    await api.listenAgain()
    expect(await run).toMatchObject({ code: 0, stdout: 'written meanwhile\n' })
  })
})

describe('tail', () => {
  it('resumes after the last event when the host comes back: none lost, none twice', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using api = await startFakeApi(dir.path, host)
    const interrupt = new AbortController()
    const seen = Promise.withResolvers<void>()
    const run = runInside(dir.path, ['tail', 'ops', '--json'], {
      signal: interrupt.signal,
      onOut: (all) => {
        if (all.split('\n').length === 3) seen.resolve()
        if (all.split('\n').length === 6) interrupt.abort()
      },
    })
    await until(() => host.readers > 0)
    host.emit('session:created', 'ops/main')
    host.emit('session:created', 'ops/other')
    host.emit('message:accepted', 'ops/main')
    await seen.promise
    await api.stopListening()
    host.emit('run:started', 'ops/main')
    host.emit('run:exited', 'ops/main')
    await api.listenAgain()
    await until(() => host.readers > 0)
    host.emit('session:closed', 'ops/main')
    const { stdout, stderr } = await run
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([1, 3, 4, 5, 6])
    expect(stderr).toMatch(/^(The host is gone; waiting for it to come back\.\n)?$/)
  })

  it('shows what a reply says without letting it drive the terminal', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    const interrupt = new AbortController()
    const run = runInside(dir.path, ['tail'], { signal: interrupt.signal, onOut: () => interrupt.abort() })
    await until(() => host.readers > 0)
    host.reply('r1', 'a\u001b[31m\nb')
    expect((await run).stdout).toMatch(/reply:written {2}ops\/main {2}run 7 {2}"a\\e\[31m\\nb"\n$/)
  })

  it('fails when there is no host to begin with', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    expect((await runInside(dir.path, ['tail'])).code).toBe(4)
  })
})

describe('up', () => {
  it('starts a host that does real work, and stops on SIGINT', async () => {
    await using dir = await makeDir()
    await using up = startOutside(dir.path, ['up', '--example'], { SESSIOND_API_PORT: '0' })
    await up.printed(/npx sessiond send shell/)
    const script = 'echo hello > note; cat note'
    const sent = await runInside(dir.path, ['send', 'shell', script, '--wait', '20s'])
    expect(sent).toMatchObject({ code: 0, stdout: 'hello\n' })
    expect(existsSync(join(dir.path, '.sessiond-example/sessions/shell/main/work/note'))).toBe(true)
    const again = await runInside(dir.path, ['up', '--example'])
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${up.child.pid}`) })
    up.child.kill('SIGINT')
    expect((await up.ended()).code).toBe(0)
    expect((await runInside(dir.path, ['sessions'])).code).toBe(4)
  })

  it('drains and stops though nobody reads what it says', async () => {
    await using dir = await makeDir()
    await using up = startOutside(dir.path, ['up', '--example'], { SESSIOND_API_PORT: '0' })
    await up.printed(/npx sessiond send shell/)
    up.child.stdout?.destroy()
    up.child.stderr?.destroy()
    expect(await runInside(dir.path, ['send', 'shell', 'echo on', '--wait', '20s'])).toMatchObject({ stdout: 'on\n' })
    up.child.kill('SIGINT')
    expect((await up.ended()).code).toBe(0)
    const journal = join(dir.path, '.sessiond-example/store.db')
    const ended = withDatabase(journal, (db) =>
      db.prepare("SELECT count(*) AS live FROM runs WHERE state <> 'gone'").get(),
    )
    expect(ended).toEqual({ live: 0 })
  })

  it('ends at once on the second signal', async () => {
    await using dir = await makeDir()
    await using up = startOutside(dir.path, ['up', '--example'], { SESSIOND_API_PORT: '0' })
    await up.printed(/npx sessiond send shell/)
    await runInside(dir.path, ['send', 'shell', 'touch started; sleep 60'])
    await until(() => existsSync(join(dir.path, '.sessiond-example/sessions/shell/main/work/started')))
    up.child.kill('SIGTERM')
    await until(() => up.stderr().includes('Once more to stop at once'))
    up.child.kill('SIGTERM')
    expect((await up.ended()).code).toBe(130)
    // The next host finds the run and ends it, so that nothing of this test lives on.
    await using next = startOutside(dir.path, ['up', '--example'], { SESSIOND_API_PORT: '0' })
    await next.printed(/npx sessiond send shell/)
    expect((await runInside(dir.path, ['stop', 'shell'])).code).toBe(0)
    next.child.kill('SIGTERM')
    expect((await next.ended()).code).toBe(0)
  })

  it('starts nothing with a configuration that is wrong or lacks a secret', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path, { groups: { ops: { agent: { command: ['sh'] }, env: { K: { fromEnv: 'KEY' } } } } })
    const { code, stderr } = await runInside(dir.path, ['up'])
    expect({ code, isTold: stderr.includes('environment variable KEY, which is not set') }).toEqual({
      code: 2,
      isTold: true,
    })
    expect(existsSync(join(dir.path, 'data'))).toBe(false)
  })

  it('refuses a data directory that others may write', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    await mkdir(join(dir.path, 'data'), { mode: 0o700 })
    await chmod(join(dir.path, 'data'), 0o777)
    expect(await runInside(dir.path, ['up'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DATA_DIR_UNUSABLE'),
    })
  })
})

describe('a command in a process of its own', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('that waits for its standard input ends with 130 at %s', async (signal) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    await using send = startOutside(dir.path, ['send', 'ops', '-'], {}, 'pipe')
    // Its input is read once this fits no more into the pipe between.
    await new Promise((resolve) => send.child.stdin?.write(Buffer.alloc(2 ** 18, 'x'), resolve))
    send.child.kill(signal)
    expect((await send.ended()).code).toBe(130)
    expect(api.host.calls).toEqual([])
  })

  it('that waits for a reply ends with 130 at SIGINT, its message safe', async () => {
    await using dir = await makeDir()
    const host = new ScriptedHost()
    await using _ = await startFakeApi(dir.path, host)
    await using send = startOutside(dir.path, ['send', 'ops', 'hi', '--wait'])
    await until(() => host.readers > 0)
    send.child.kill('SIGINT')
    expect(await send.ended()).toMatchObject({ code: 130, stderr: expect.stringContaining('m1 accepted') })
  })

  it('ends when it is done, whatever the configuration leaves running', async () => {
    await using dir = await makeDir()
    await startFakeApi(dir.path).then((api) => api[Symbol.asyncDispose]())
    await rm(join(dir.path, 'sessiond.config.json'))
    const config =
      "setInterval(() => {}, 1000)\nexport default { dataDir: 'data', groups: { g: { agent: { command: ['sh'] } } } }"
    await writeFile(join(dir.path, 'sessiond.config.mjs'), config)
    await using command = startOutside(dir.path, ['sessions'])
    expect(await command.ended()).toMatchObject({ code: 4, stderr: expect.stringContaining('HOST_NOT_RUNNING') })
  })
})
