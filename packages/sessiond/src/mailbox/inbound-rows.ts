import { formatRetryBrief, formatTimestamp, type MessageInRow, PROTOCOL_VERSION, type RunRow } from '@sessiond/protocol'
import type { ProjectedMessage, Projection } from './mailbox.ts'
import type { InboundContent } from './operations.ts'

/** Turns a projection into the rows a run reads. */
export function inboundRows(projection: Projection): InboundContent {
  return {
    run: runRow(projection),
    messages: projection.messages.map(messageRow),
    answers: projection.answers.map(({ requestId, status, text }) => ({ request_id: requestId, status, text })),
  }
}

function runRow(projection: Projection): RunRow {
  return {
    epoch: projection.epoch,
    granted_at: formatTimestamp(projection.grantedAtMs),
    taken_seq: projection.takenSeq,
    protocol: PROTOCOL_VERSION,
    time_zone: projection.timeZone,
  }
}

/** Held back until it is shown otherwise: a time that never comes, whatever clock the run goes by. */
const NEVER = '9999-12-31T00:00:00.000Z'

function messageRow({ message, isWanted, isHeldBack, brief }: ProjectedMessage): MessageInRow {
  return {
    id: message.id,
    seq: message.seq,
    kind: message.kind,
    timestamp: formatTimestamp(message.createdAtMs),
    status: isWanted ? 'pending' : 'failed',
    // What is shown is due by the host's clock; a run whose own clock lags must not wait for it once more (A13).
    process_after: isHeldBack ? NEVER : null,
    recurrence: null,
    series_id: message.seriesId,
    tries: message.tries,
    trigger: message.trigger ? 1 : 0,
    on_wake: message.onWake ? 1 : 0,
    content: message.content,
    platform_id: message.address.platformId,
    channel_type: message.address.channelType,
    thread_id: message.address.threadId,
    source_session_id: message.sourceSessionId,
    attempt: message.attempt,
    brief: brief === null ? null : formatRetryBrief(brief),
  }
}
