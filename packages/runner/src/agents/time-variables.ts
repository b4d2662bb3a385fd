import { formatLocalTime, tellReplyTo } from '@sessiond/protocol'
import type { AgentMessage } from '../agent-message.ts'

/** Newest messages told of: an environment variable has a bound of its own. */
const MAX_MESSAGES = 256

/**
 * What a command finds in its environment of the time and of what its messages answer; not in front of the text, which
 * may be a script. Times of messages are of the host's clock, `now` of this machine's.
 */
export function timeVariables(
  messages: readonly AgentMessage[],
  { message, timeZone, nowMs }: { readonly message: AgentMessage; readonly timeZone: string; readonly nowMs: number },
): Record<string, string> {
  const localTimeOf = ({ createdAtMs }: AgentMessage) =>
    createdAtMs === null ? null : formatLocalTime(createdAtMs, timeZone)
  const told = messages
    .slice(-MAX_MESSAGES)
    .map((each) => ({ id: each.id, isContext: each.isContext, localTime: localTimeOf(each) }))
  const messageTime = localTimeOf(message)
  return {
    // Not SESSIOND_TIME_ZONE: a sessiond that a command starts would take that for an option of its own.
    SESSIOND_ZONE: timeZone,
    SESSIOND_BATCH: JSON.stringify({ timeZone, now: formatLocalTime(nowMs, timeZone), messages: told }),
    ...(messageTime === null ? {} : { SESSIOND_MESSAGE_TIME: messageTime }),
    ...(message.replyTo === null ? {} : { SESSIOND_REPLY_TO: tellReplyTo(message.replyTo).slice(2) }),
  }
}
