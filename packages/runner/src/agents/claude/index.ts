export { claudeAgent } from './claude-agent.ts'
export type { ClaudeAgentOptions } from './claude-agent-options.ts'
export type {
  ClaudeCanUseTool,
  ClaudeHook,
  ClaudeHookInput,
  ClaudeHookMatcher,
  ClaudeHooks,
  ClaudePermission,
} from './claude-sdk.ts'
export { type ProbeClaudeOptions, type ProbeEnd, probeClaude } from './probe-claude.ts'
export { SESSION_KEY } from './turn.ts'
