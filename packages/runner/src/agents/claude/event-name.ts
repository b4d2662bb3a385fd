import type { ClaudeMessage } from './claude-sdk.ts'

/** What recordings call a message: `type`, `type/subtype`, or for what is streamed `stream_event/<its type>`. */
export function eventNameOf({ type, subtype, event }: ClaudeMessage): string {
  const detail = type === 'stream_event' ? event?.type : subtype
  return detail === undefined ? type : `${type}/${detail}`
}
