import type { V1Record, V2Hold, V2Record, V2SessionState } from './installation.ts'

export interface RecordInput {
  readonly root: string
  readonly tempDir: string
  readonly busyMs: number
  /** What has not been written for so long is read anew only once it has changed. */
  readonly settledMs: number
}

export interface SessionInput extends RecordInput {
  readonly group: string
  readonly session: string
}

/** All that a reading process can be asked for. */
export interface Requests {
  /** Null: there is no such database, or nothing in it yet. */
  readV1(input: RecordInput): V1Record | null
  readV2(input: RecordInput): V2Record | null
  /** A session without a folder, or without databases, holds nothing. */
  readHold(input: SessionInput): V2Hold
  /** Null: the session has no folder. */
  readState(input: SessionInput): V2SessionState | null
}

export type RequestName = keyof Requests
export type RequestInput<Name extends RequestName> = Parameters<Requests[Name]>[0]
export type RequestResult<Name extends RequestName> = ReturnType<Requests[Name]>
