import { expect, it } from 'vitest'
import { policyJudge } from '../../src/backtest/policy-judge.ts'
import { replay } from '../../src/backtest/replay.ts'
import { DEFAULT_STUCK } from '../../src/config/default-stuck.ts'
import { probeRunner } from '../../src/probe/probe-runner.ts'

it('a probe records what a command does with prompts said at given times, and leaves nothing behind', async () => {
  const lines = await probeRunner({
    agent: { command: ['sh'] },
    prompts: [
      { atMs: 0, text: 'echo one' },
      // Long enough for its tool to be seen open: what begins and ends between two looks leaves no line.
      { atMs: 200, text: 'sleep 1; echo two >&2' },
    ],
    timeoutMs: 20_000,
    signal: new AbortController().signal,
  })
  const kinds = lines.map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'claim')).toHaveLength(2)
  expect(kinds.filter((kind) => kind === 'done')).toHaveLength(2)
  expect(lines).toContainEqual(expect.objectContaining({ kind: 'tool-start', tool: 'sh' }))
  expect(kinds.at(-1)).toBe('exit')
  expect(replay(lines, policyJudge(DEFAULT_STUCK))).toMatchObject({ outcome: 'exited' })
})

it('a probe ends at its time, whatever is still at work', async () => {
  const lines = await probeRunner({
    agent: { command: ['sh'] },
    prompts: [{ atMs: 0, text: 'sleep 600' }],
    timeoutMs: 1_000,
    signal: new AbortController().signal,
  })
  expect(lines.map(({ kind }) => kind)).toContain('claim')
  expect(lines.at(-1)?.kind).toBe('exit')
})
