import type { MessageKind } from '@sessiond/protocol'
import type { Address, Message, MessageFailure, MessageStatus, MessageTroubles } from '../../model/message.ts'
import type { Delivery, DeliveryStatus, Reply } from '../../model/reply.ts'
import type { Run, RunEnd, RunExit, RunState } from '../../model/run.ts'
import type { Session, SessionStatus } from '../../model/session.ts'

interface AddressRow {
  readonly platform_id: string | null
  readonly channel_type: string | null
  readonly thread_id: string | null
}

export interface SessionRow {
  readonly id: string
  readonly group_name: string
  readonly name: string
  readonly status: string
  readonly time_zone: string | null
  readonly created_at_ms: number
  readonly closed_at_ms: number | null
  readonly epoch: number
  readonly last_seq: number
  readonly spawn_failures: number
  readonly spawn_not_before_ms: number
  readonly last_spawn_error: string | null
  readonly archived_at_ms: number | null
}

export interface MessageRow extends AddressRow {
  readonly id: string
  readonly session_id: string
  readonly seq: number
  readonly kind: string
  readonly status: string
  readonly content: string
  readonly process_after_ms: number
  readonly trigger: number
  readonly on_wake: number
  readonly source_session_id: string | null
  readonly created_at_ms: number
  readonly tries: number
  readonly attempt: number
  readonly projected_epoch: number | null
  readonly claim_epoch: number | null
  readonly claimed_at_ms: number | null
  readonly cancel_requested_at_ms: number | null
  readonly ended_at_ms: number | null
  readonly failure: string | null
  readonly error: string | null
  readonly answered: number
  readonly dead_letter: number
  readonly is_suspect: number
  readonly series_id: string | null
  readonly troubles: string | null
}

export interface RunRow {
  readonly session_id: string
  readonly epoch: number
  readonly name: string
  readonly runtime: string
  readonly state: string
  readonly handle_runtime: string | null
  readonly handle_id: string | null
  readonly intended_at_ms: number
  readonly started_at_ms: number | null
  readonly first_claim_at_ms: number | null
  readonly last_active_at_ms: number
  readonly stop_intended_at_ms: number | null
  readonly kill_sent_at_ms: number | null
  readonly end_reason: string | null
  readonly end_evidence: string | null
  readonly exit: string | null
  readonly ended_at_ms: number | null
  readonly taken_seq: number
}

export interface ReplyRow extends AddressRow {
  readonly id: string
  readonly session_id: string
  readonly epoch: number | null
  readonly seq: number | null
  readonly in_reply_to: string | null
  readonly kind: string
  readonly content: string
  readonly created_at_ms: number
  readonly deliver_after_ms: number
}

export interface DeliveryRow {
  readonly id: number
  readonly reply_id: string
  readonly session_id: string
  readonly sink: string
  readonly status: string
  readonly is_postponed: number
  readonly attempts: number
  readonly next_attempt_at_ms: number
  readonly last_error: string | null
  readonly platform_message_id: string | null
  readonly ended_at_ms: number | null
}

/** Group of a session id; names hold no slash. */
export function groupOf(sessionId: string): string {
  return sessionId.slice(0, sessionId.indexOf('/'))
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    group: row.group_name,
    name: row.name,
    status: row.status as SessionStatus,
    timeZone: row.time_zone,
    createdAtMs: row.created_at_ms,
    closedAtMs: row.closed_at_ms,
    archivedAtMs: row.archived_at_ms,
    epoch: row.epoch,
    spawnFailures: row.spawn_failures,
    spawnNotBeforeMs: row.spawn_not_before_ms,
    lastSpawnError: row.last_spawn_error,
  }
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    sessionId: row.session_id,
    group: groupOf(row.session_id),
    kind: row.kind as MessageKind,
    content: row.content,
    processAfterMs: row.process_after_ms,
    trigger: row.trigger === 1,
    onWake: row.on_wake === 1,
    address: toAddress(row),
    sourceSessionId: row.source_session_id,
    seriesId: row.series_id,
    seq: row.seq,
    status: row.status as MessageStatus,
    createdAtMs: row.created_at_ms,
    tries: row.tries,
    attempt: row.attempt,
    projectedEpoch: row.projected_epoch,
    claimEpoch: row.claim_epoch,
    claimedAtMs: row.claimed_at_ms,
    cancelRequestedAtMs: row.cancel_requested_at_ms,
    endedAtMs: row.ended_at_ms,
    failure: row.failure as MessageFailure | null,
    error: row.error,
    answered: row.answered === 1,
    deadLetter: row.dead_letter === 1,
    isSuspect: row.is_suspect === 1,
    troubles: row.troubles === null ? null : (JSON.parse(row.troubles) as MessageTroubles),
  }
}

export function toRun(row: RunRow): Run {
  return {
    sessionId: row.session_id,
    group: groupOf(row.session_id),
    epoch: row.epoch,
    name: row.name,
    runtime: row.runtime,
    state: row.state as RunState,
    handle:
      row.handle_id === null || row.handle_runtime === null ? null : { runtime: row.handle_runtime, id: row.handle_id },
    intendedAtMs: row.intended_at_ms,
    startedAtMs: row.started_at_ms,
    firstClaimAtMs: row.first_claim_at_ms,
    lastActiveAtMs: row.last_active_at_ms,
    stopIntendedAtMs: row.stop_intended_at_ms,
    killSentAtMs: row.kill_sent_at_ms,
    end: row.end_reason as RunEnd | null,
    endEvidence: row.end_evidence === null ? null : (JSON.parse(row.end_evidence) as Run['endEvidence']),
    exit: row.exit === null ? null : (JSON.parse(row.exit) as RunExit),
    endedAtMs: row.ended_at_ms,
    takenSeq: row.taken_seq,
  }
}

export function toReply(row: ReplyRow): Reply {
  return {
    id: row.id,
    sessionId: row.session_id,
    group: groupOf(row.session_id),
    epoch: row.epoch,
    seq: row.seq,
    inReplyTo: row.in_reply_to,
    kind: row.kind as MessageKind,
    content: row.content,
    createdAtMs: row.created_at_ms,
    deliverAfterMs: row.deliver_after_ms,
    address: toAddress(row),
  }
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    replyId: row.reply_id,
    sessionId: row.session_id,
    sink: row.sink,
    status: row.status as DeliveryStatus,
    attempts: row.attempts,
    nextAttemptAtMs: row.next_attempt_at_ms,
    lastError: row.last_error,
    platformMessageId: row.platform_message_id,
    endedAtMs: row.ended_at_ms,
  }
}

function toAddress(row: AddressRow): Address {
  return { platformId: row.platform_id, channelType: row.channel_type, threadId: row.thread_id }
}
