import type { AgentMessage } from '../agent-message.ts'

/** Context first, then what asks for something, each in its order, separated by blank lines. */
export function inputOf(messages: readonly AgentMessage[]): string {
  const context = messages.filter(({ isContext }) => isContext)
  const triggers = messages.filter(({ isContext }) => !isContext)
  return [...context, ...triggers].map(({ text }) => text).join('\n\n')
}
