import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { RUNNER_EXIT } from '@sessiond/protocol'
import { says } from '@sessiond/testkit/model-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HostSide } from '../test/host-side.ts'
import { killRunners, type RunnerProcess, startRunner } from '../test/start-runner.ts'
import { ClaudeHarness } from './claude-harness.ts'

const PROGRAM = fileURLToPath(new URL('./programs/claude-program.ts', import.meta.url))

const MCP = createRequire(import.meta.url).resolve('@sessiond/runner/mcp')

let host: HostSide
let harness: ClaudeHarness

beforeEach(() => {
  host = new HostSide()
  host.grant(1)
})

afterEach(async () => {
  killRunners()
  host.remove()
  expect(await harness.close()).toEqual([])
})

function start(epoch: number, more: Readonly<Record<string, string>> = {}): RunnerProcess {
  const { env, sdk } = harness.options()
  const program = ['--disable-warning=ExperimentalWarning', '--conditions=sessiond-source', PROGRAM]
  return startRunner(host, program, { epoch, environment: { ...env, ...more, TEST_CLAUDE_SDK: sdk } })
}

describe('a program on runAgent and claudeAgent', () => {
  it('answers, ends with its SDK when told to, and remembers in the next run', async () => {
    harness = await ClaudeHarness.start([[says.text('one')], [says.text('two')]])
    host.send({ id: 'm1', text: 'first question' })
    const first = start(1)
    await host.untilAck('m1', 'completed')
    // At once: what was said has to be on disk by the end all the same.
    first.child.kill('SIGTERM')
    expect(await first.exited).toEqual({ code: RUNNER_EXIT.ok, signal: null })
    expect((await harness.living()).length).toBe(0)

    host.grant(2)
    host.send({ id: 'm2', text: 'second question' })
    const second = start(2)
    await host.untilAck('m2', 'completed')
    second.child.kill('SIGTERM')
    await second.exited
    expect(host.texts()).toEqual(['one', 'two'])
    expect(harness.asked(-1)).toContain('first question')
  })

  it('schedules through the host’s own tools, which it has without being told of them', async () => {
    const tool = 'mcp__sessiond__schedule_task'
    const parameters = { text: 'water the plants', cron: '0 9 * * 1-5' }
    harness = await ClaudeHarness.start([[says.tool(tool, parameters)], [says.text('it is planned')]])
    host.send({ id: 'm1', text: 'water my plants on weekdays' })
    const { child, exited } = start(1, {
      SESSIOND_MCP: JSON.stringify([process.execPath, '--disable-warning=ExperimentalWarning', MCP]),
    })
    const asked = await host.answerNth(1, 'ok', 'Task t-1: it runs on Monday.')
    expect(asked).toEqual({ action: 'schedule_task', ...parameters })
    await host.untilAck('m1', 'completed')
    child.kill('SIGTERM')
    await exited
    const offered = JSON.stringify(harness.server.turns[0]?.body)
    // Its own timers would end with the run.
    expect([tool, 'CronCreate', 'ScheduleWakeup'].map((name) => offered.includes(name))).toEqual([true, false, false])
    expect(JSON.stringify(harness.server.turns[1]?.body?.messages)).toContain('Task t-1: it runs on Monday.')
    expect(host.texts().at(-1)).toBe('it is planned')
  })

  it('takes its SDK with it when it is stopped in the middle of a turn', async () => {
    harness = await ClaudeHarness.start([[says.tool('Bash', { command: 'tail -f /dev/null', timeout: 500_000 })]])
    host.send({ id: 'm1', text: 'hang' })
    const { child, exited } = start(1)
    await expect.poll(async () => (await harness.living()).map(({ program }) => program), POLL).toContain('tail')
    child.kill('SIGTERM')
    expect(await exited).toEqual({ code: RUNNER_EXIT.ok, signal: null })
    expect(await harness.living()).toEqual([])
  })
})

const POLL = { timeout: 20_000 }
