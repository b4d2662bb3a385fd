import { expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { toolPolicyOf } from './tool-policy.ts'

it.each([
  ['Bash', 'Bash', true],
  ['Bash', 'bash', false],
  ['Bash', 'Bash2', false],
  ['*', '', true],
  ['mcp__*', 'mcp__web__get', true],
  ['mcp__*', 'mcp_', false],
  ['*Fetch', 'WebFetch', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c', false],
  ['a*bc*c', 'abc', false],
  ['.*', 'x', false],
])('the pattern %s fits %s: %s', (pattern, name, isFit) => {
  const policy = { ...DEFAULT_STUCK, tools: [{ pattern, silentMs: 1, busyCeilingMs: null }] }
  expect(toolPolicyOf(policy, name).silentMs === 1).toBe(isFit)
})

it('takes the first pattern that fits, and what it leaves out from all tools', () => {
  const tools = [
    { pattern: 'mcp__a__*', silentMs: null, busyCeilingMs: 5 },
    { pattern: 'mcp__*', silentMs: 7, busyCeilingMs: null },
  ]
  const policy = { ...DEFAULT_STUCK, tools }
  expect(toolPolicyOf(policy, 'mcp__a__x')).toMatchObject({ silentMs: DEFAULT_STUCK.toolSilentMs, ceilingMs: 5 })
  expect(toolPolicyOf(policy, 'mcp__b__x')).toMatchObject({ silentMs: 7, ceilingMs: DEFAULT_STUCK.busyCeilingMs })
})
