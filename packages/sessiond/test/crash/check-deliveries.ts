import type { Evidence } from './evidence.ts'

/** What the sink got of one case, in order. */
export interface DeliveredReply {
  readonly id: string
  readonly sessionId: string
}

/** Every reply reached its sink, in order within its session, more than once only when a host died meanwhile. */
export function checkDeliveries(
  evidence: Evidence,
  delivered: readonly DeliveredReply[],
  hostDeaths: number,
): string[] {
  const problems = evidence.deliveries
    .filter(({ status }) => status !== 'delivered')
    .map(({ replyId, status }) => `the delivery of ${replyId} is ${status}`)
  if (evidence.deliveries.length !== evidence.replies.length) problems.push('there are replies without a delivery')
  for (const { id } of evidence.replies) {
    const times = delivered.filter((one) => one.id === id).length
    if (times < 1 || times > 1 + hostDeaths) problems.push(`${id} was delivered ${times} times`)
  }
  for (const sessionId of evidence.witnesses.keys()) {
    const wanted = evidence.replies.filter((reply) => reply.sessionId === sessionId).map(({ id }) => id)
    const got = [...new Set(delivered.filter((one) => one.sessionId === sessionId).map(({ id }) => id))]
    if (got.join() !== wanted.join()) problems.push(`${sessionId}: delivered ${got}, written ${wanted}`)
  }
  return problems
}
