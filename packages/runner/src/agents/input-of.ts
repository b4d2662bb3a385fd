import type { AgentMessage } from '../agent-message.ts'

/** The texts as they are, separated by blank lines: they may be a script. */
export function inputOf(messages: readonly AgentMessage[]): string {
  return inOrder(messages)
    .map(({ text }) => text)
    .join('\n\n')
}

/** Context first, then what asks for something, each in its order. */
export function inOrder(messages: readonly AgentMessage[]): AgentMessage[] {
  return [...messages.filter(({ isContext }) => isContext), ...messages.filter(({ isContext }) => !isContext)]
}
