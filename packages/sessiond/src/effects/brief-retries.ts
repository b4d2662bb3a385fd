import type { RetryBrief } from '@sessiond/protocol'
import type { JournalRecord } from '../model/journal.ts'
import type { Address, Message } from '../model/message.ts'
import type { Reply } from '../model/reply.ts'
import type { Run } from '../model/run.ts'
import { type EffectDeps, keyOf } from './deps.ts'

/** Newest lines of a message looked at for how its last try ended. */
const MAX_LINES = 20
/** Newest replies of a session looked at for what was said in it, all messages together: a run may have said anything. */
const MAX_REPLIES = 50
const MAX_REPLY_BYTES = 64 * 1024
/** What is kept of one text. */
const MAX_CHARS = 1_000

/**
 * What to tell a run of the earlier tries at its messages, by id. What was found once for an attempt stays as it is: a
 * projection comes with every reply, and costs nothing more.
 */
export async function briefRetries(
  deps: EffectDeps,
  run: Run,
  messages: readonly Message[],
): Promise<ReadonlyMap<string, RetryBrief>> {
  const { briefs } = deps.watches.of(keyOf(run), deps.world.monotonicMs())
  const again = messages.filter(({ attempt, trigger }) => attempt > 1 && trigger)
  const unknown = again.filter(({ id, attempt }) => briefs.get(id)?.attempt !== attempt)
  const limits = { limit: MAX_REPLIES, maxBytes: MAX_REPLY_BYTES }
  const replies = unknown.length === 0 ? [] : await deps.store.listReplies({ sessionId: run.sessionId, ...limits })
  for (const message of unknown) briefs.set(message.id, await briefOf(deps, message, replies))
  const shown = new Set(again.map(({ id }) => id))
  for (const id of briefs.keys()) if (!shown.has(id)) briefs.delete(id)
  return new Map(briefs)
}

async function briefOf(
  { store, config }: EffectDeps,
  message: Message,
  replies: readonly Reply[],
): Promise<RetryBrief> {
  const { id, group, attempt, tries } = message
  const { maxTries } = config.groups.get(group)?.retry ?? config.defaults.retry
  const lines = await store.listJournal({ messageId: id, limit: MAX_LINES })
  const last = lines.find(({ type }) => type === 'message:retried')
  const claim = lines.find((line) => line.type === 'message:claimed' && line.epoch === last?.epoch)
  const lastEnd = typeof last?.detail.error === 'string' ? last.detail.error.slice(0, MAX_CHARS) : null
  const said = claim === undefined ? [] : replies.filter((reply) => isOfTry(reply, message.address, claim)).map(textOf)
  return { attempt, tries, maxTries, lastEnd, said }
}

/** Said on the way, to where the message came from, after that try had begun: what the run said before is another's. */
function isOfTry(reply: Reply, address: Address, claim: JournalRecord): boolean {
  if (reply.epoch !== claim.epoch || reply.inReplyTo !== null || reply.createdAtMs < claim.atMs) return false
  return reply.address.platformId === address.platformId && reply.address.threadId === address.threadId
}

function textOf({ content }: Reply): string {
  try {
    const { text } = JSON.parse(content) as { text?: unknown }
    return (typeof text === 'string' ? text : content).slice(0, MAX_CHARS)
  } catch {
    return content.slice(0, MAX_CHARS)
  }
}
