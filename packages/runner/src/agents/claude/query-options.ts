import { join } from 'node:path'
import { RUN_ENV } from '@sessiond/protocol'
import type { ClaudeAgentOptions } from './claude-agent-options.ts'
import type { ClaudeCanUseTool, ClaudeHook, ClaudeHooks, ClaudeQueryOptions } from './claude-sdk.ts'
import { nobodyToAsk, REFUSED_TOOLS, refusalOf, TIMER_TOOLS } from './refused-tools.ts'

export interface QueryWiring {
  readonly workDir: string
  /** The conversation to go on with; null: a new one. */
  readonly resume: string | null
  /** Events to hook besides those that tell of tools. */
  readonly hookEvents?: readonly string[]
  /** Sees every hook before it is answered; its promise holds the answer back. */
  readonly onHook: (input: Parameters<ClaudeHook>[0]) => Promise<void>
  readonly spawnClaudeCodeProcess: unknown
  readonly abortController: AbortController
}

const TOOL_HOOKS = ['PreToolUse', 'PostToolUse', 'PostToolUseFailure'] as const

/** The options of the SDK's `query` that make it an agent nobody sits in front of. */
export function queryOptions(options: ClaudeAgentOptions, wiring: QueryWiring): ClaudeQueryOptions {
  const { queryOptions: more, configDir: _, sdk: __, hooks, env: ___, ...named } = options
  const isPermitted = options.permissionMode === 'bypassPermissions'
  return {
    ...more,
    ...named,
    cwd: options.cwd ?? wiring.workDir,
    env: environmentOf(options, wiring.workDir),
    // Without partial messages a model that thinks long says nothing at all.
    includePartialMessages: true,
    ...toolsOf(options, process.env),
    // Where everything is permitted nobody is asked, and the SDK warns of a callback it will not call.
    ...(isPermitted && options.canUseTool === undefined ? {} : { canUseTool: permit(options.canUseTool) }),
    hooks: mergeHooks([...TOOL_HOOKS, ...(wiring.hookEvents ?? [])], wiring.onHook, hooks ?? {}),
    abortController: wiring.abortController,
    spawnClaudeCodeProcess: wiring.spawnClaudeCodeProcess,
    ...(isPermitted ? { allowDangerouslySkipPermissions: true } : {}),
    ...(wiring.resume === null ? {} : { resume: wiring.resume }),
  }
}

const SERVER = 'sessiond'

/** The host's own tools beside the agent's, unless a server of the same name takes their place. */
function toolsOf(
  { mcpServers = {}, allowedTools = [], disallowedTools = [] }: ClaudeAgentOptions,
  variables: Readonly<Record<string, string | undefined>>,
): Pick<ClaudeAgentOptions, 'mcpServers' | 'allowedTools' | 'disallowedTools'> {
  const start = variables[RUN_ENV.mcp]
  const refused = [...REFUSED_TOOLS, ...disallowedTools]
  if (start === undefined || SERVER in mcpServers) return { disallowedTools: refused }
  const [command, ...args] = JSON.parse(start) as string[]
  const env = pickVariables(variables, [RUN_ENV.in, RUN_ENV.out, RUN_ENV.epoch])
  return {
    mcpServers: { ...mcpServers, [SERVER]: { type: 'stdio', command, args, env } },
    // They reach nothing but the agent's own session, and nobody is there to be asked.
    allowedTools: [...allowedTools, `mcp__${SERVER}`],
    disallowedTools: [...refused, ...TIMER_TOOLS],
  }
}

function pickVariables(from: Readonly<Record<string, string | undefined>>, names: readonly string[]) {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
}

/**
 * What the SDK sends beside its work is sent again and again where nobody takes it, and passes for a transfer of its
 * tools: a hang would be found minutes later.
 */
const QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }

function environmentOf(options: ClaudeAgentOptions, workDir: string): Record<string, string | undefined> {
  const { [RUN_ENV.agent]: _, ...inherited } = process.env
  const environment: Record<string, string | undefined> = { ...QUIET, ...inherited, ...options.env }
  if (options.configDir === null) return environment
  const configDir = options.configDir ?? environment.CLAUDE_CONFIG_DIR ?? join(workDir, '.claude-config')
  return { ...environment, CLAUDE_CONFIG_DIR: configDir }
}

function permit(own: ClaudeCanUseTool | undefined): ClaudeCanUseTool {
  return async (toolName, input, options) => {
    const refusal = refusalOf(toolName)
    if (refusal !== undefined) return { behavior: 'deny', message: refusal }
    return own === undefined ? { behavior: 'deny', message: nobodyToAsk(toolName) } : own(toolName, input, options)
  }
}

function mergeHooks(events: readonly string[], onHook: QueryWiring['onHook'], own: ClaudeHooks): ClaudeHooks {
  const hook: ClaudeHook = async (input) => {
    await onHook(input)
    return input.hook_event_name === 'PreToolUse' ? refuse(input.tool_name ?? '') : {}
  }
  const merged: Record<string, ClaudeHooks[string]> = { ...own }
  for (const event of new Set(events)) merged[event] = [{ hooks: [hook] }, ...(own[event] ?? [])]
  return merged
}

function refuse(toolName: string): Readonly<Record<string, unknown>> {
  const refusal = refusalOf(toolName)
  if (refusal === undefined) return {}
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: refusal,
    },
  }
}
