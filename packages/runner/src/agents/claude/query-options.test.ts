import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ClaudeAgentOptions } from './claude-agent-options.ts'
import type { ClaudeCanUseTool, ClaudeHook, ClaudeHooks } from './claude-sdk.ts'
import { type QueryWiring, queryOptions } from './query-options.ts'

afterEach(() => vi.unstubAllEnvs())

function optionsOf(options: ClaudeAgentOptions = {}, wiring: Partial<QueryWiring> = {}) {
  const built = queryOptions(options, {
    workDir: '/work',
    resume: null,
    onHook: async () => {},
    spawnClaudeCodeProcess: () => {},
    abortController: new AbortController(),
    ...wiring,
  })
  return built as typeof built & {
    readonly env: Record<string, string | undefined>
    readonly hooks: ClaudeHooks
    readonly canUseTool?: ClaudeCanUseTool
  }
}

const signal = new AbortController().signal

describe('queryOptions', () => {
  it('passes on what it is given, and keeps what the clocks need', () => {
    const options = optionsOf({
      model: 'm',
      queryOptions: { maxBudgetUsd: 1, model: 'no', includePartialMessages: false },
    })
    expect(options).toMatchObject({ model: 'm', maxBudgetUsd: 1, includePartialMessages: true, cwd: '/work' })
    expect(options).not.toHaveProperty('resume')
    expect(optionsOf({}, { resume: 's' })).toMatchObject({ resume: 's' })
  })

  it('keeps conversations in the workspace, unless told where', () => {
    vi.stubEnv('CLAUDE_CONFIG_DIR', undefined)
    expect(optionsOf().env.CLAUDE_CONFIG_DIR).toBe('/work/.claude-config')
    expect(optionsOf({ configDir: '/kept' }).env.CLAUDE_CONFIG_DIR).toBe('/kept')
    expect(optionsOf({ configDir: null }).env.CLAUDE_CONFIG_DIR).toBeUndefined()
    vi.stubEnv('CLAUDE_CONFIG_DIR', '/own')
    expect(optionsOf().env.CLAUDE_CONFIG_DIR).toBe('/own')
  })

  it('keeps the SDK from sending what is no part of its work, unless it is told otherwise', () => {
    const name = 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC'
    expect(optionsOf().env[name]).toBe('1')
    expect(optionsOf({ env: { [name]: undefined } }).env[name]).toBeUndefined()
  })

  it('brings the host’s own tools along, permitted, unless there is none to ask or they are replaced', () => {
    vi.stubEnv('SESSIOND_MCP', undefined)
    expect(optionsOf({ allowedTools: ['Read'] })).toMatchObject({ allowedTools: ['Read'] })
    expect(optionsOf()).not.toHaveProperty('mcpServers')
    vi.stubEnv('SESSIOND_MCP', '["/bin/node","--flag","/mcp.mjs"]')
    vi.stubEnv('SESSIOND_IN', '/in')
    vi.stubEnv('SESSIOND_OUT', '/out')
    vi.stubEnv('SESSIOND_EPOCH', '7')
    const env = { SESSIOND_IN: '/in', SESSIOND_OUT: '/out', SESSIOND_EPOCH: '7' }
    const theirs = { type: 'stdio' as const, command: 'theirs' }
    expect(optionsOf({ mcpServers: { theirs }, allowedTools: ['Read'] })).toMatchObject({
      mcpServers: { theirs, sessiond: { type: 'stdio', command: '/bin/node', args: ['--flag', '/mcp.mjs'], env } },
      allowedTools: ['Read', 'mcp__sessiond'],
      // What these plan would be forgotten with the run.
      disallowedTools: expect.arrayContaining(['CronCreate', 'ScheduleWakeup']),
    })
    const own = optionsOf({ mcpServers: { sessiond: theirs } })
    expect(own).toMatchObject({ mcpServers: { sessiond: theirs } })
    expect(own).not.toHaveProperty('allowedTools')
  })

  it('hands this environment on with what was added, without what is the runner’s', () => {
    vi.stubEnv('SESSIOND_AGENT', '{}')
    vi.stubEnv('KEPT', 'yes')
    const { env } = optionsOf({ env: { ADDED: 'too' } })
    expect([env.KEPT, env.ADDED, env.SESSIOND_AGENT]).toEqual(['yes', 'too', undefined])
  })

  it('takes tools that wait for a person away, and refuses them should they be called all the same', async () => {
    const options = optionsOf({ disallowedTools: ['WebFetch'] })
    expect(options.disallowedTools).toEqual(['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode', 'WebFetch'])
    const hook = options.hooks.PreToolUse?.[0]?.hooks[0] as ClaudeHook
    const call = { hook_event_name: 'PreToolUse', tool_name: 'ExitPlanMode' }
    expect(await hook(call, 'a', { signal })).toMatchObject({ hookSpecificOutput: { permissionDecision: 'deny' } })
    expect(await hook({ ...call, tool_name: 'Bash' }, 'a', { signal })).toEqual({})
    expect(await options.canUseTool?.('AskUserQuestion', {}, { signal })).toMatchObject({ behavior: 'deny' })
  })

  it('refuses what nobody has permitted, as nobody is there to be asked', async () => {
    expect(await optionsOf().canUseTool?.('Bash', {}, { signal })).toMatchObject({
      behavior: 'deny',
      message: expect.stringContaining('nobody is there'),
    })
    const canUseTool: ClaudeCanUseTool = async () => ({ behavior: 'allow' })
    expect(await optionsOf({ canUseTool }).canUseTool?.('Bash', {}, { signal })).toEqual({ behavior: 'allow' })
    expect(optionsOf({ permissionMode: 'bypassPermissions' })).not.toHaveProperty('canUseTool')
  })

  it('runs hooks of one’s own beside those of the clocks', async () => {
    const seen: string[] = []
    const own: ClaudeHook = async () => ({})
    const onHook: QueryWiring['onHook'] = async ({ hook_event_name: name }) => {
      seen.push(name)
    }
    const hooks = { PreToolUse: [{ hooks: [own] }], Stop: [{ hooks: [own] }] }
    const merged = optionsOf({ hooks }, { onHook, hookEvents: ['Stop', 'PreToolUse'] }).hooks
    expect(merged.PreToolUse?.map((matcher) => matcher.hooks.length)).toEqual([1, 1])
    expect(merged.PreToolUse?.[1]?.hooks).toEqual([own])
    await merged.Stop?.[0]?.hooks[0]?.({ hook_event_name: 'Stop' }, undefined, { signal })
    expect(seen).toEqual(['Stop'])
  })
})
