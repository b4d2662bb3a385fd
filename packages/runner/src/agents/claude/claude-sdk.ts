/**
 * The parts of `@anthropic-ai/claude-agent-sdk` that are used here, by their shape alone: an install without the SDK has
 * no types of it either. Fields are optional wherever a version may leave them out.
 */
export interface ClaudeSdk {
  query(call: { readonly prompt: AsyncIterable<ClaudeUserMessage>; readonly options: ClaudeQueryOptions }): ClaudeQuery
}

/** What the SDK's own process says, one message at a time; over when the process is. */
export interface ClaudeQuery extends AsyncIterable<ClaudeMessage> {
  interrupt(): Promise<unknown>
  close(): void
}

export interface ClaudeUserMessage {
  readonly type: 'user'
  readonly uuid: string
  readonly session_id: string
  readonly parent_tool_use_id: null
  readonly message: { readonly role: 'user'; readonly content: string }
}

/** Any message of the SDK; only what tells them apart is certain. */
export interface ClaudeMessage {
  readonly type: string
  readonly subtype?: string
  readonly session_id?: string
  /** Set on what a subagent said: the tool call that started it. */
  readonly parent_tool_use_id?: string | null
  /** Of `stream_event`. */
  readonly event?: { readonly type: string }
  /** Of `assistant` and `user`. */
  readonly message?: { readonly content?: unknown }
  /** Of `assistant`, when it stands for a failed request; of `system/api_retry`. */
  readonly error?: string
  /** Of `system/status`, and of `system/task_notification`. */
  readonly status?: string | null
  /** Of `system/api_retry`. */
  readonly retry_delay_ms?: number
  readonly error_status?: number | null
  /** Of `rate_limit_event`. */
  readonly rate_limit_info?: { readonly status?: string; readonly resetsAt?: number }
  /** Of `system/task_…`: work beside the turn. */
  readonly task_id?: string
  readonly tool_use_id?: string
  readonly task_type?: string
  readonly is_backgrounded?: boolean
  readonly patch?: { readonly is_backgrounded?: boolean }
  /** Of `system/background_tasks_changed`: all there are. */
  readonly tasks?: readonly { readonly task_id?: string }[]
  /** Of `result`. */
  readonly is_error?: boolean
  readonly result?: string
  readonly errors?: readonly string[]
  readonly api_error_status?: number | null
  readonly startup_failure_reason?: string
  readonly user_message_uuid?: string
  readonly user_message_uuids?: readonly string[]
}

/** What a hook is called with. */
export interface ClaudeHookInput {
  readonly hook_event_name: string
  readonly tool_name?: string
  readonly tool_input?: unknown
  readonly tool_use_id?: string
}

export type ClaudeHook = (
  input: ClaudeHookInput,
  toolUseId: string | undefined,
  options: { readonly signal: AbortSignal },
) => Promise<Readonly<Record<string, unknown>>>

export interface ClaudeHookMatcher {
  readonly matcher?: string
  readonly hooks: readonly ClaudeHook[]
  /** In seconds. */
  readonly timeout?: number
}

export type ClaudeHooks = Readonly<Record<string, readonly ClaudeHookMatcher[]>>

export type ClaudePermission =
  | { readonly behavior: 'allow'; readonly updatedInput?: Readonly<Record<string, unknown>> }
  | { readonly behavior: 'deny'; readonly message: string; readonly interrupt?: boolean }

export type ClaudeCanUseTool = (
  toolName: string,
  input: Readonly<Record<string, unknown>>,
  options: { readonly signal: AbortSignal },
) => Promise<ClaudePermission>

/** How the SDK asks for its process to be started. */
export interface ClaudeSpawnOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the process has to go and did not by itself. */
  readonly signal: AbortSignal
}

/** Options of the SDK's `query`; those not named here pass through as they are. */
export interface ClaudeQueryOptions {
  readonly [option: string]: unknown
}
