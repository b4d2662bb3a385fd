export type {
  EventQuery,
  Health,
  HostApi,
  HostEvent,
  PlannedRemovalLine,
  PlannedRemovals,
  Pruning,
  PruningPlan,
  PruningRequest,
  SendRequest,
  SessionDetail,
  SweepLine,
  SweepReport,
} from './api.ts'
export { compileConfig } from './config/compile-config.ts'
export type { HostConfig } from './config/config.ts'
export { defineConfig, type GroupOptions, type HostOptions, type SinkOptions } from './config/options.ts'
export { createHost, type Host } from './create-host.ts'
export type { HostExtras } from './host.ts'
export { ERROR_CATALOGUE, type ErrorCode, hasCode, SessiondError } from './model/errors.ts'
export type { JournalRecord, JournalType } from './model/journal.ts'
export type { Message, SendReceipt } from './model/message.ts'
export type { Delivery, Reply } from './model/reply.ts'
export type { Run } from './model/run.ts'
export type { Session, SessionSummary } from './model/session.ts'
export { VERSION } from './version.ts'
