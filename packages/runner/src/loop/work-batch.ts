import type { AgentHandler, SessionState } from '../agent-context.ts'
import { type AgentMessage, agentMessageOf } from '../agent-message.ts'
import type { Ack, MailboxClient } from '../mailbox-client.ts'
import type { RunEnvironment } from '../run-environment.ts'
import type { OnStep } from '../steps.ts'
import type { RunnerWorld } from '../world.ts'
import { BatchContext } from './batch-context.ts'
import { type AckDecision, decideAcks, type Outcome } from './decide-acks.ts'
import type { HeldBatch } from './held-batch.ts'
import { replyContent } from './reply-content.ts'
import type { StateReporter } from './state-reporter.ts'

export interface WorkBatchOptions {
  readonly held: HeldBatch
  /** As the host states it; null: it does not. */
  readonly timeZone: string | null
  readonly handler: AgentHandler
  readonly environment: RunEnvironment
  readonly mailbox: MailboxClient
  readonly world: RunnerWorld
  readonly reporter: StateReporter
  readonly state: SessionState
  readonly agentLog: (line: string) => void
  readonly onStep: OnStep
}

/**
 * Hands a claimed batch to the handler and writes how it ended; returns the acknowledgements written. Resolves
 * without any when the run has to end and the handler does not let go, or when a newer run owns the session.
 */
export async function workBatch(options: WorkBatchOptions): Promise<readonly Ack[]> {
  const { held } = options
  const messages = held.messages.map(agentMessageOf)
  const context = contextOf(options, messages)
  const outcome = await Promise.race([handOver(options, context, messages), held.abandoned])
  context.close()
  if (outcome === null) return []
  await context.settled()
  options.reporter.endBatch()
  if (held.isSuperseded) return []
  const decision = decideAcks({
    messages: held.messages,
    answeredIds: context.answeredIds,
    outcome,
    interruption: held.interruption,
    nowMs: options.world.now(),
  })
  await writeEnd(options, decision)
  return decision.acks
}

function contextOf(options: WorkBatchOptions, messages: readonly AgentMessage[]): BatchContext {
  const message = messages.at(-1)
  if (message === undefined) throw new Error('an empty batch was claimed')
  return new BatchContext({ ...options, messages, message })
}

async function handOver(
  { held, handler, onStep }: WorkBatchOptions,
  context: BatchContext,
  messages: readonly AgentMessage[],
): Promise<Outcome> {
  // Cancelled or stopped while the claim was written: the agent need not begin.
  if (held.signal.aborted) return { kind: 'threw', error: held.signal.reason }
  try {
    const running = handler(messages, context)
    onStep('handed-over')
    const text = await running
    return { kind: 'returned', text: typeof text === 'string' && text !== '' ? text : null }
  } catch (error) {
    return { kind: 'threw', error }
  }
}

async function writeEnd({ held, mailbox, world, reporter }: WorkBatchOptions, decision: AckDecision): Promise<void> {
  if (decision.acks.length === 0) return
  const last = held.messages.at(-1)
  const reply =
    decision.replyText === null || last === undefined
      ? null
      : {
          id: world.newId('r-'),
          inReplyTo: last.id,
          content: replyContent(decision.replyText),
          address: last.address,
        }
  await mailbox.finish(decision.acks, reply, reporter.take())
}
