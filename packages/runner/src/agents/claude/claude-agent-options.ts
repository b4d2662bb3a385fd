import type { ClaudeCanUseTool, ClaudeHooks } from './claude-sdk.ts'

/** How the Claude Agent SDK is run. What is not named here goes into `queryOptions`. */
export interface ClaudeAgentOptions {
  readonly model?: string
  /** The SDK's system prompt: a text, or its preset with something added. */
  readonly systemPrompt?: string | Readonly<Record<string, unknown>>
  /** Tools that need no permission. */
  readonly allowedTools?: readonly string[]
  /** Tools the model does not get, besides those that wait for a person at a terminal. */
  readonly disallowedTools?: readonly string[]
  /** One of the SDK's modes; `bypassPermissions` asks for nothing, which suits a container. */
  readonly permissionMode?: string
  /** Decides what no mode and no rule has decided. Without it that is refused: nobody is there to be asked. */
  readonly canUseTool?: ClaudeCanUseTool
  /** Besides `sessiond`, by which the agent schedules its own work; one of that name takes its place. */
  readonly mcpServers?: Readonly<Record<string, unknown>>
  /** Hooks of your own; they run beside those that keep the clocks. */
  readonly hooks?: ClaudeHooks
  readonly maxTurns?: number
  /** Added to this process's environment for the SDK's process; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** @default the session's workspace */
  readonly cwd?: string
  /** Claude Code to run instead of the one the SDK brings. */
  readonly pathToClaudeCodeExecutable?: string
  /**
   * Where the SDK keeps its conversations and settings. They have to outlive the run, or every run begins a new
   * conversation; null: where the SDK keeps them by itself, which is the home directory.
   * @default CLAUDE_CONFIG_DIR when it is set, else `.claude-config` in the workspace
   */
  readonly configDir?: string | null
  /** Further options of the SDK's `query`, passed as they are. What this agent sets itself it keeps. */
  readonly queryOptions?: Readonly<Record<string, unknown>>
  /** Loads the SDK from elsewhere: a file URL, or another package's name. */
  readonly sdk?: string
}
