import { parseRecordingLine, type RecordedMove, type RecordingLine } from '@sessiond/protocol'
import { type ModelScript, says } from '@sessiond/testkit/model-server'
import { afterEach, describe, expect, it } from 'vitest'
import { type ProbeClaudeOptions, type ProbeEnd, probeClaude } from '../src/agents/claude/index.ts'
import { ClaudeHarness } from './claude-harness.ts'

let harness: ClaudeHarness

afterEach(async () => {
  expect(await harness.close()).toEqual([])
})

interface Probed {
  readonly end: ProbeEnd
  /** As a reader gets them, from what was written. */
  readonly lines: RecordingLine[]
}

async function probe(script: ModelScript, changes: Partial<ProbeClaudeOptions> = {}): Promise<Probed> {
  harness = await ClaudeHarness.start(script)
  const written: string[] = []
  const end = await probeClaude({
    agent: harness.options(),
    workDir: harness.workDir,
    prompts: [{ atMs: 0, text: 'hello' }],
    onLine: (line) => written.push(JSON.stringify(line)),
    timeoutMs: 50_000,
    ...changes,
  })
  const lines = written.map(parseRecordingLine).filter((line) => line !== null)
  expect(lines.length).toBe(written.length)
  return { end, lines }
}

/** The lines of one kind; several kinds may share a shape. */
type LineOf<Kind> = RecordingLine extends infer Line
  ? Line extends { readonly kind: infer Own }
    ? Kind extends Own
      ? Line
      : never
    : never
  : never

function ofKind<Kind extends RecordedMove['kind']>(lines: readonly RecordingLine[], kind: Kind): LineOf<Kind>[] {
  return lines.filter((line): line is LineOf<Kind> => line.kind === kind)
}

describe('probeClaude', () => {
  it('records a short answer event by event', async () => {
    const { end, lines } = await probe([[says.text('hi')]], { trace: 'quick', about: 'a short answer' })
    expect(end).toEqual({ why: 'answered' })
    expect(lines[0]).toEqual({ t: 0, kind: 'meta', trace: 'quick', about: 'a short answer', agent: 'Claude Agent SDK' })
    const events = ofKind(lines, 'sdk-event').map(({ event }) => event)
    const wanted = ['system/init', 'system/status', 'stream_event/message_start', 'assistant', 'result/success']
    expect(events.filter((event) => wanted.includes(event))).toEqual(wanted)
    expect(ofKind(lines, 'sdk-hook').map(({ hook }) => hook)).toEqual(['UserPromptSubmit', 'Stop'])
    expect(lines.slice(-2)).toMatchObject([
      { kind: 'done', message: 'm1' },
      { kind: 'end', why: 'answered' },
    ])
    expect(lines.map(({ t }) => t)).toEqual(lines.map(({ t }) => t).sort((a, b) => a - b))
  })

  it('records a tool from its start to its end, with the time it declared', async () => {
    const { lines } = await probe([[says.tool('Bash', { command: 'exit 3', timeout: 20_000 })], [says.text('failed')]])
    expect(ofKind(lines, 'tool-start')).toMatchObject([{ id: 1, tool: 'Bash', timeoutMs: 20_000, background: false }])
    expect(ofKind(lines, 'tool-end')).toMatchObject([{ id: 1, tool: 'Bash', ok: false }])
  })

  it('records that the provider held it off, and until when', async () => {
    const { lines } = await probe([[says.rateLimited(1)], [says.text('now')]])
    const [wait] = ofKind(lines, 'model-wait')
    expect(wait?.reason).toBe('rate-limit')
    expect((wait?.untilMs ?? 0) - (wait?.t ?? 0)).toBeGreaterThanOrEqual(999)
  })

  it('pushes each prompt at its time and ends when all are answered', async () => {
    const prompts = [
      { atMs: 0, text: 'first' },
      { atMs: 1_500, text: 'second' },
    ]
    const { end, lines } = await probe([[says.text('one')], [says.text('two')]], { prompts })
    expect(end.why).toBe('answered')
    expect(ofKind(lines, 'claim').map(({ message }) => message)).toEqual(['m1', 'm2'])
    expect(ofKind(lines, 'claim')[1]?.t).toBeGreaterThanOrEqual(1_499)
    expect(ofKind(lines, 'done').map(({ message }) => message)).toEqual(['m1', 'm2'])
  })

  it('beats on while a hook hangs, until its time is over', async () => {
    const { end, lines } = await probe([[says.text('hi')]], { hangHook: 'Stop', timeoutMs: 6_000 })
    expect(end.why).toBe('timeout')
    expect(ofKind(lines, 'sdk-hook').at(-1)?.hook).toBe('Stop')
    expect(ofKind(lines, 'beat').length).toBe(1)
    expect(ofKind(lines, 'done')).toEqual([])
  })

  it('records a tool that never ends, and leaves none of it behind', async () => {
    const stop = new AbortController()
    const { end, lines } = await probe([[says.tool('Bash', { command: 'tail -f /dev/null' })]], {
      signal: stop.signal,
      onLine: (line) => {
        if (line.kind === 'tool-start') stop.abort()
      },
    })
    expect([end.why, lines]).toEqual(['stopped', []])
  })

  it('ends when the SDK does', async () => {
    const { end } = await probe([[says.stall]], { onStarted: (pid) => process.kill(pid, 'SIGKILL') })
    expect(end.why).toBe('exit')
    expect(end.error).toBeInstanceOf(Error)
  })
})
