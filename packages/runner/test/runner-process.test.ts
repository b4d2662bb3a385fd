import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RUNNER_EXIT } from '@sessiond/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HostSide, until, untilTrue } from './host-side.ts'
import {
  bundle,
  killRunners,
  pathOf,
  type RunnerProcess,
  type StartRunnerOptions,
  startRunner,
} from './start-runner.ts'

let directory: string
let runner: string
let host: HostSide

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'runner-bundle-'))
  chmodSync(directory, 0o755)
  runner = await bundle(pathOf('..'), join(directory, 'runner.mjs'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

beforeEach(() => {
  host = new HostSide()
  host.grant(1)
})

afterEach(() => {
  killRunners()
  host.remove()
})

function agentOf(script: string, changes: object = {}) {
  const command = ['sh', '-c', script]
  return { kind: 'command', command, per: 'message', timeoutMs: 600_000, maxReplyBytes: 10_000, ...changes }
}

function start(agent: unknown, options: StartRunnerOptions = {}): RunnerProcess {
  return startRunner(host, ['--disable-warning=ExperimentalWarning', runner], { agent, ...options })
}

describe('the command agent in the bundled runner', () => {
  it('answers with what the command writes, and says nothing itself', async () => {
    host.send({ id: 'm1', text: 'hello' })
    const { child, exited, output } = start(agentOf('printf "got: "; cat; echo; echo'))
    await host.untilAck('m1', 'completed')
    child.kill('SIGTERM')
    expect(await exited).toEqual({ code: RUNNER_EXIT.ok, signal: null })
    expect(host.texts()).toEqual(['got: hello'])
    expect(output()).toBe('')
  })

  it('completes without a reply when the command writes nothing', async () => {
    host.send({ id: 'm1' })
    start(agentOf('echo; echo'))
    expect((await host.untilAck('m1', 'completed')).error).toBeNull()
    expect(host.replies()).toEqual([])
  })

  it('gives all texts of a batch to one process, context first', async () => {
    host.send({ id: 'm1', text: 'one' }, { id: 'c1', text: 'context', trigger: 0 }, { id: 'm2', text: 'two' })
    start(agentOf('cat; echo " by $SESSIOND_MESSAGE_ID"', { per: 'batch' }))
    await host.untilAck('m2', 'completed')
    expect(host.texts()).toEqual(['context\n\none\n\ntwo by m2'])
    expect(host.acks().map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
  })

  it('tells the command its zone and when its message was sent, and leaves the text alone', async () => {
    host.writeInbound((db) => db.exec("UPDATE run SET time_zone = 'Asia/Kathmandu'"))
    host.send({ id: 'm1', text: 'hi' })
    start(agentOf('cat; echo " $SESSIOND_ZONE $SESSIOND_MESSAGE_TIME $SESSIOND_BATCH"'))
    await host.untilAck('m1', 'completed')
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:45`
    expect(host.texts()[0]).toMatch(
      new RegExp(`^hi Asia/Kathmandu ${time} {"timeZone":"Asia/Kathmandu","now":"${time}",`),
    )
  })

  it('runs the command in the workspace and tells it where it is, but not how it is configured', async () => {
    host.send({ id: 'm1' })
    start(
      agentOf(
        'echo "$SESSIOND_SESSION $SESSIOND_MESSAGE_ID $SESSIOND_RUN $MINE [$SESSIOND_AGENT]"; pwd -P; echo $SESSIOND_WORK',
      ),
      {
        environment: { MINE: 'yes' },
      },
    )
    await host.untilAck('m1', 'completed')
    const [first, cwd, work] = host.texts()[0]?.split('\n') ?? []
    expect(first).toBe('group/session m1 test-1 yes []')
    expect(work).toBe(host.workDir)
    expect(cwd?.endsWith(host.workDir)).toBe(true)
  })

  it('shows the command as a tool with its time-out, and its stderr as progress and log', async () => {
    host.send({ id: 'm1' })
    const { output } = start(agentOf('echo step >&2; while ! [ -e go ]; do sleep 0.02; done'))
    await until(() => expect(host.state()).toMatchObject({ current_tool: 'sh', tool_declared_timeout_ms: 600_000 }))
    writeFileSync(join(host.workDir, 'go'), '')
    await host.untilAck('m1', 'completed')
    expect(host.state()).toMatchObject({ current_tool: null, tool_declared_timeout_ms: null, progress_seq: 3 })
    expect(output()).toBe('step\n')
  })

  it.each([
    ['a code', 'echo why >&2; exit 3', 'sh exited with code 3:\nwhy'],
    ['a signal', 'kill -9 $$', 'sh was killed by SIGKILL'],
    ['a code that asks for patience without saying how long', 'exit 75', 'sh exited with code 75'],
  ])('fails the message when the command ends with %s', async (_, script, error) => {
    host.send({ id: 'm1' })
    start(agentOf(script))
    expect(await host.untilAck('m1', 'failed')).toMatchObject({ error, retry_at: null })
  })

  it('quotes only the end of a long stderr', async () => {
    host.send({ id: 'm1' })
    start(agentOf('i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done >&2; exit 1'))
    const { error } = await host.untilAck('m1', 'failed')
    expect(error).toMatch(/line 2999$/)
    expect(error?.length).toBeLessThan(2_100)
  })

  it('fails the message, naming the program, when there is none', async () => {
    host.send({ id: 'm1' })
    start(agentOf('', { command: ['no-such-program-anywhere'] }))
    expect((await host.untilAck('m1', 'failed')).error).toBe(
      'cannot start "no-such-program-anywhere": there is no such program',
    )
  })

  it('(A10) names the time-out when it ends the command', async () => {
    host.send({ id: 'm1' })
    start(agentOf('echo waiting >&2; sleep 600', { timeoutMs: 200 }))
    expect((await host.untilAck('m1', 'failed')).error).toBe('sh timed out after 200 ms:\nwaiting')
  })

  it('(B16) passes on when a command wants to be tried again', async () => {
    host.send({ id: 'm1' })
    start(agentOf('echo "limit reached" >&2; echo "retry-at: 2100-01-01T00:00:00Z" >&2; exit 75'))
    const ack = await host.untilAck('m1', 'failed')
    // Further ahead than ten years no run asks.
    expect(ack.retry_at).toMatch(/^20\d\d-/)
    expect(ack.error).toContain('limit reached')
  })

  it('cuts a reply at its bound and says so', async () => {
    host.send({ id: 'm1' })
    start(agentOf('head -c 50000000 /dev/zero | tr "\\0" x', { maxReplyBytes: 1_000 }))
    await host.untilAck('m1', 'completed')
    expect(host.texts()[0]).toBe(`${'x'.repeat(1_000)}\n[cut: the command wrote more than 1000 bytes]`)
  })

  it('ends the command when the host gives the message up', async () => {
    host.send({ id: 'm1' })
    start(agentOf('echo $$ > pid; sleep 600'))
    await until(() => readFileSync(join(host.workDir, 'pid')))
    host.cancel('m1')
    expect((await host.untilAck('m1', 'failed')).error).toBe('cancelled')
  })
})

describe('the runner as a process', () => {
  it('(C9) ends the command and itself on SIGTERM, closes its files and leaves the claim to the host', async () => {
    host.send({ id: 'm1' })
    const { child, exited } = start(agentOf('touch up; sleep 600'))
    await until(() => readFileSync(join(host.workDir, 'up')))
    child.kill('SIGTERM')
    expect(await exited).toEqual({ code: RUNNER_EXIT.ok, signal: null })
    expect(host.ack('m1')?.status).toBe('processing')
  })

  it('ends with its own code when a newer run owns the session', async () => {
    const { exited, output } = start(agentOf('true'), { epoch: 2 })
    expect(await exited).toEqual({ code: RUNNER_EXIT.superseded, signal: null })
    expect(output()).toContain('superseded')
  })

  it.each([
    ['no agent', {}, 'SESSIOND_AGENT is not set'],
    ['another agent', { agent: { kind: 'other' } }, 'SESSIOND_AGENT kind'],
    ['no epoch', { agent: {}, environment: { SESSIOND_EPOCH: undefined } }, 'SESSIOND_EPOCH is not set'],
    ['an epoch that is none', { agent: {}, environment: { SESSIOND_EPOCH: '0' } }, 'SESSIOND_EPOCH must be'],
    ['a relative path', { agent: {}, environment: { SESSIOND_OUT: 'out' } }, 'SESSIOND_OUT must be'],
  ])('says in one line what is wrong with its configuration: %s', async (_, options, what) => {
    const { exited, output } = startRunner(host, [runner], options)
    expect((await exited).code).toBe(RUNNER_EXIT.badConfiguration)
    expect(output().split('\n')).toEqual([expect.stringContaining(what), ''])
  })

  it('(C10) says in one line that it cannot write its mailbox', async () => {
    rmSync(host.outDir, { recursive: true })
    writeFileSync(host.outDir, '')
    const { exited, output } = start(agentOf('true'))
    expect((await exited).code).toBe(RUNNER_EXIT.mailboxUnwritable)
    expect(output().split('\n')).toEqual([expect.stringMatching(/cannot write .*out.* as uid \d+/), ''])
  })

  it('(C10) ends when the mailbox cannot be written any more', async () => {
    host.send({ id: 'm1' })
    const { exited, output } = start(
      agentOf('while [ -e "$SESSIOND_OUT" ]; do rm -rf "$SESSIOND_OUT"; done; echo done'),
    )
    expect((await exited).code).toBe(RUNNER_EXIT.mailboxUnwritable)
    expect(output()).toContain('cannot write')
  })

  it('goes on when nobody reads its output any more', async () => {
    const { child } = start(agentOf('head -c 300000 /dev/zero | tr "\\0" "\\n" >&2; echo done'))
    child.stderr?.destroy()
    child.stdout?.destroy()
    host.send({ id: 'm1' })
    await host.untilAck('m1', 'completed')
    host.send({ id: 'm2' })
    await host.untilAck('m2', 'completed')
    expect(host.texts()).toEqual(['done', 'done'])
  })

  it('works from one file alone', async () => {
    const alone = join(host.root, 'alone.mjs')
    cpSync(runner, alone)
    host.send({ id: 'm1', text: 'hi' })
    startRunner(host, [alone], { agent: agentOf('cat') })
    await host.untilAck('m1', 'completed')
    expect(host.texts()).toEqual(['hi'])
  })
})

describe('a program of its own', () => {
  const custom = ['--conditions=sessiond-source', pathOf('programs/custom.ts')]

  it('gets messages and context, is quiet about SQLite and keeps its own warnings', async () => {
    host.send({ id: 'c1', trigger: 0 }, { id: 'm1' })
    const { child, exited, output } = startRunner(host, custom)
    await host.untilAck('m1', 'completed')
    expect(host.texts()).toEqual(['group/session 1 2'])
    child.kill('SIGINT')
    expect((await exited).code).toBe(0)
    expect(output()).toContain('a warning of the agent')
    expect(output()).not.toContain('SQLite')
  })

  it('hears of a stop through its signal', async () => {
    host.send({ id: 'm1', text: 'hang' })
    const { child, exited } = startRunner(host, custom)
    await host.untilAck('m1', 'processing')
    child.kill('SIGTERM')
    expect((await exited).code).toBe(0)
    expect(host.ack('m1')?.status).toBe('processing')
  })

  it('puts a message off', async () => {
    host.send({ id: 'm1', text: 'limit' })
    startRunner(host, custom)
    expect((await host.untilAck('m1', 'failed')).retry_at).not.toBeNull()
  })

  it('needs no warning flag to be started by mistake on its own', async () => {
    const { exited, output } = startRunner(host, custom, { environment: { SESSIOND_IN: undefined } })
    await untilTrue(() => output().includes('SESSIOND_IN is not set'))
    expect((await exited).code).toBe(RUNNER_EXIT.badConfiguration)
  })
})
