/**
 * What an event of the Claude Agent SDK says of the clocks. `progress`: the agent did something. `returned`: it did, and
 * a model is asked next. `request`: a model is asked. `stream`: its answer begins. `answered`: the answer is whole.
 * `ping`: the model's side keeps the connection alive. `nothing`: a timer's doing (a hung tool has them for ever), or an
 * event nobody knows.
 */
export type AgentEventMeaning = 'progress' | 'returned' | 'request' | 'stream' | 'answered' | 'ping' | 'nothing'

/**
 * By `type/subtype`, or `stream_event/<type of the stream's event>`. Only what a model or a tool really put out counts
 * as progress: measured on recordings, `tool_progress` comes every 30 s of a tool that hangs for ever, `ping`s are all a
 * thinking model sends, and `system/status` says no more than that a request goes out.
 */
const MEANINGS: Readonly<Record<string, AgentEventMeaning>> = {
  assistant: 'progress',
  user: 'returned',
  'system/init': 'progress',
  'system/status': 'request',
  'stream_event/message_start': 'stream',
  'stream_event/content_block_start': 'progress',
  'stream_event/content_block_delta': 'progress',
  'stream_event/content_block_stop': 'progress',
  'stream_event/message_delta': 'progress',
  'stream_event/message_stop': 'answered',
  'stream_event/ping': 'ping',
  'result/success': 'answered',
}

/** Unknown events prove nothing: taken for progress, one that a timer sends would hide every hang. */
export function meaningOfAgentEvent(event: string): AgentEventMeaning {
  return MEANINGS[event] ?? (event.startsWith('result/') ? 'answered' : 'nothing')
}

const AGENT_TOOLS: readonly string[] = ['Agent', 'Task']

/** The tool starts an agent of its own, whose tools are told apart from it. */
export function isAgentTool(name: string): boolean {
  return AGENT_TOOLS.includes(name)
}
