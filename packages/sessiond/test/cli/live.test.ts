import { existsSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../src/model/message.ts'
import type { Reply } from '../../src/model/reply.ts'
import { FakeHost, REPLY } from '../http/fake-host.ts'
import { makeDir, runInside, startOutside, writeConfig } from './cli-harness.ts'
import { startFakeApi } from './fake-api.ts'

/** A host whose messages end when a test says so. */
class ScriptedHost extends FakeHost {
  replies: Reply[] = []

  override async showMessage(id: string): Promise<{ message: Message; replies: Reply[] }> {
    return { ...(await super.showMessage(id)), replies: this.replies }
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
