export type { AgentSpec, CommandAgentSpec } from './agent.ts'
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
export type {
  AckStatus,
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
export { formatTimestamp, hasZone, parseTimestamp } from './timestamps.ts'
export { PROTOCOL_VERSION } from './version.ts'
