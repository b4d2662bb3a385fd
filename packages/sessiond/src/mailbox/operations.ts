import type { AnswerRow, MessageInRow, RunRow } from '@sessiond/protocol'
import type { ErrorCode } from '../model/errors.ts'
import type { OutboxBatch, SessionPaths } from './mailbox.ts'

/** What `inbound.db` shall hold. */
export interface InboundContent {
  readonly run: RunRow
  readonly messages: readonly MessageInRow[]
  readonly answers: readonly AnswerRow[]
}

export interface RunUser {
  readonly uid: number
  readonly gid: number
}

export interface PrepareInput {
  readonly dataDir: string
  readonly paths: SessionPaths
  readonly inbound: InboundContent
  readonly sessionState: readonly (readonly [key: string, value: string])[]
  readonly stateAt: string
  readonly user: RunUser | null
}

export interface RebuildInput {
  readonly dataDir: string
  readonly paths: SessionPaths
  readonly inbound: InboundContent
}

export interface SyncInput {
  readonly paths: SessionPaths
  /** Stamp of the file as this host left it. */
  readonly stamp: string
  readonly upserts: readonly MessageInRow[]
  readonly deletes: readonly string[]
  readonly newAnswers: readonly AnswerRow[]
  /** Ids of requests whose answers go. */
  readonly oldAnswers: readonly string[]
  /** Null: unchanged. */
  readonly run: RunRow | null
}

export interface TakeInput {
  readonly paths: SessionPaths
  readonly afterSeq: number
  readonly maxRows: number
  readonly maxBytes: number
  readonly maxFileBytes: number
  /** True: the run's exit is confirmed, nobody else writes. */
  readonly isFinal: boolean
}

export interface SetAsideInput {
  readonly dataDir: string
  readonly paths: SessionPaths
  readonly epoch: number
}

/** All a reader process can be asked for. `string` results of the inbound operations are the file's new stamp. */
export interface Operations {
  prepare(input: PrepareInput): string
  rebuild(input: RebuildInput): string
  /** Null: the file is not as the host left it; it must be rebuilt. */
  sync(input: SyncInput): string | null
  take(input: TakeInput): OutboxBatch
  setAside(input: SetAsideInput): string | null
}

export type OperationName = keyof Operations
export type InputOf<K extends OperationName> = Parameters<Operations[K]>[0]
export type ResultOf<K extends OperationName> = ReturnType<Operations[K]>

export interface WorkerRequest {
  readonly op: OperationName
  readonly input: unknown
}

export type WorkerAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly what: string; readonly cure: string | undefined }
