export type { AgentContext, AgentHandler, ModelWait, SessionState, ToolLease, ToolOptions } from './agent-context.ts'
export type { AgentMessage } from './agent-message.ts'
export { tellBatch } from './agents/tell-batch.ts'
export type {
  Ack,
  Claim,
  InboundLook,
  InboundMessage,
  KnownAck,
  MailboxClient,
  MessageAddress,
  OpenedMailbox,
  OutgoingReply,
  Prune,
  ReportedState,
} from './mailbox-client.ts'
export { RetryLater } from './retry-later.ts'
export { type RunAgentOptions, runAgent } from './run-agent.ts'
