import type { Host, SendRequest } from 'sessiond'
import type { SendRateFigures, SendRateQuestion } from './host-commands.ts'

/** Messages go to this many sessions in turn. */
const SESSIONS = 100

/** Sends through the library for a while and counts what was acknowledged as durable. */
export async function measureSendRate(host: Host, question: SendRateQuestion): Promise<SendRateFigures> {
  const { senders, batch, forMs } = question
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  let acknowledged = 0
  let next = 0
  const send = async () => {
    while (performance.now() - startedMs < forMs) {
      const requests = Array.from({ length: batch }, () => requestOf(question, next++))
      // Not in one expression: `+=` reads before it waits, and the senders would overwrite each other's count.
      const count = await acknowledge(host, requests)
      acknowledged += count
    }
  }
  await Promise.all(Array.from({ length: senders }, send))
  const { user, system } = process.cpuUsage(cpuBefore)
  return { acknowledged, tookMs: performance.now() - startedMs, cpuMs: (user + system) / 1000 }
}

/** Due in the future: no run takes part, so that the path of a send is measured and nothing else. */
function requestOf({ group, batch, isOneSession }: SendRateQuestion, index: number): SendRequest {
  const turn = isOneSession ? Math.floor(index / batch) : index
  return { group, session: `s${turn % SESSIONS}`, text: `Please look at item ${index}.`, after: '12h' }
}

async function acknowledge(host: Host, requests: readonly SendRequest[]): Promise<number> {
  const [only] = requests
  if (requests.length === 1 && only !== undefined) {
    await host.send(only)
    return 1
  }
  const outcomes = await host.sendMany(requests)
  const refused = outcomes.find((outcome) => outcome instanceof Error)
  if (refused !== undefined) throw refused
  return outcomes.length
}
