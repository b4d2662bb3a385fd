import type { InboundLook, InboundMessage, KnownAck } from '../mailbox-client.ts'

export interface ChooseBatchInput {
  readonly look: InboundLook
  readonly acks: ReadonlyMap<string, KnownAck>
  /** Ids of the on_wake messages of the run's first look: only these are for this run. */
  readonly wakeIds: ReadonlySet<string>
  readonly epoch: number
  readonly per: 'message' | 'batch'
  readonly nowMs: number
}

export type BatchChoice =
  | { readonly action: 'claim'; readonly messages: readonly InboundMessage[] }
  | { readonly action: 'wait'; readonly untilMs: number | null }

/**
 * Decides what to claim next: of what is due and not yet acknowledged, oldest first, everything up to the last
 * message that asks for something, or up to the first when messages are worked one by one. Context after it waits
 * for the next such message.
 */
export function chooseBatch(input: ChooseBatchInput): BatchChoice {
  const open = input.look.messages.filter((message) => isOpen(message, input))
  const due = open.filter((message) => isDue(message, input.nowMs)).sort((a, b) => a.seq - b.seq)
  const isTrigger = (message: InboundMessage) => message.isTrigger
  const last = input.per === 'batch' ? due.findLastIndex(isTrigger) : due.findIndex(isTrigger)
  if (last >= 0) return { action: 'claim', messages: due.slice(0, last + 1) }
  return { action: 'wait', untilMs: nextDueAtMs(open, input.nowMs) }
}

function isOpen(message: InboundMessage, { acks, wakeIds, epoch }: ChooseBatchInput): boolean {
  if (message.status !== 'pending') return false
  if (message.isOnWake && !wakeIds.has(message.id)) return false
  const ack = acks.get(message.id)
  if (ack === undefined || ack.attempt < message.attempt) return true
  // A claim of another run: that run is gone, or this one would not have been started.
  return ack.status === 'processing' && ack.epoch !== epoch
}

function isDue(message: InboundMessage, nowMs: number): boolean {
  return message.processAfterMs === null || message.processAfterMs <= nowMs
}

function nextDueAtMs(open: readonly InboundMessage[], nowMs: number): number | null {
  const times = open
    .filter((message) => message.isTrigger && !isDue(message, nowMs))
    .map((message) => message.processAfterMs ?? nowMs)
    .filter(Number.isFinite)
  return times.length === 0 ? null : Math.min(...times)
}
