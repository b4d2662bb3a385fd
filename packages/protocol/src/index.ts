export type { AgentSpec, CommandAgentSpec } from './agent.ts'
export { type AgentEventMeaning, isAgentTool, meaningOfAgentEvent } from './agent-events.ts'
export { RUNNER_EXIT } from './exit-codes.ts'
export { isValidId, isValidName } from './ids.ts'
export {
  ATTACHMENTS_DIR,
  CONTAINER_PATHS,
  FILES_DIR,
  HEARTBEAT_FILE,
  INBOUND_DB,
  OUTBOUND_DB,
  RUN_ENV,
} from './layout.ts'
export { PROTOCOL_LIMITS } from './limits.ts'
export { oneLine } from './one-line.ts'
export {
  formatOpenWork,
  type OpenTool,
  type OpenWait,
  type OpenWork,
  parseOpenWork,
  WAIT_REASONS,
  type WaitReason,
} from './open-work.ts'
export { parseRecordingLine, type RecordedMove, type RecordingKind, type RecordingLine } from './recording.ts'
export { parseReplyTo, type ReplyTo, tellReplyTo } from './reply-to.ts'
export { REQUEST_ACTIONS, type RequestAction } from './request.ts'
export { formatRetryBrief, parseRetryBrief, type RetryBrief, tellRetryBrief } from './retry-brief.ts'
export type {
  AckStatus,
  AnswerRow,
  ContainerStateRow,
  DeliveredRow,
  InboundStatus,
  MessageInRow,
  MessageKind,
  MessageOutRow,
  ProcessingAckRow,
  RunRow,
  SessionStateRow,
} from './rows.ts'
export { INBOUND_SCHEMA, MAILBOX_PRAGMAS, OUTBOUND_SCHEMA } from './schema.ts'
export {
  formatLocalTime,
  readSessionZone,
  type SessionZone,
  type ToldMessage,
  tellMessage,
  tellTime,
} from './tell-time.ts'
export { formatTimestamp, hasZone, parseTimestamp } from './timestamps.ts'
export { parseTrouble, TROUBLES, type Trouble } from './trouble.ts'
export { PROTOCOL_VERSION } from './version.ts'
