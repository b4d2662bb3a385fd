import { tellMessage } from '@sessiond/protocol'
import type { AgentContext } from '../agent-context.ts'
import type { AgentMessage } from '../agent-message.ts'
import { inOrder } from './input-of.ts'

/**
 * A batch as an agent reads it: its zone and the time, then `notes`, then context and what asks for something, each with
 * its local time and the line it answers, separated by blank lines.
 */
export function tellBatch(
  messages: readonly AgentMessage[],
  context: Pick<AgentContext, 'timeZone' | 'tellTime'>,
  notes: readonly string[] = [],
): string {
  const told = inOrder(messages).map((message) => tellMessage(message, context.timeZone))
  return [context.tellTime(), ...notes, ...told].join('\n\n')
}
