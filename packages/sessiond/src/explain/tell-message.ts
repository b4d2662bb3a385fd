import type { JournalRecord } from '../model/journal.ts'
import type { Message } from '../model/message.ts'
import { type HeldBack, tellAccount } from './tell-account.ts'
import { tellOutcome } from './tell-outcome.ts'
import { instantWords } from './words.ts'

export interface MessageProspects {
  readonly maxTries: number
  /** The account holds back what is due; null: nothing does. */
  readonly heldBack: HeldBack | null
  readonly nowMs: number
}

/** What became of a message, a sentence each, and what will. `lines`: its journal, oldest first. */
export function tellMessage(message: Message, lines: readonly JournalRecord[], prospects: MessageProspects): string[] {
  const past = lines.map(tellOutcome).filter((sentence) => sentence !== null)
  return [...past, tellNext(message, prospects)]
}

function tellNext(message: Message, { maxTries, heldBack, nowMs }: MessageProspects): string {
  const { status, claimEpoch, processAfterMs, projectedEpoch, deadLetter } = message
  if (status === 'completed') return 'Nothing more will happen: it is done.'
  if (status === 'failed') {
    return deadLetter ? 'Nothing will happen until someone replays or drops it.' : 'Nothing more will happen.'
  }
  const left = tellTries(message, maxTries)
  if (status === 'claimed') return `Run ${claimEpoch} works on it; ${left}.`
  if (!message.trigger) return 'It is context: it goes along with the next message that asks for something.'
  if (processAfterMs > nowMs) return `It waits until ${instantWords(processAfterMs)}; ${left}.`
  if (heldBack !== null) return `It is due, but held back: ${tellAccount(heldBack, nowMs)}; ${left}.`
  if (projectedEpoch !== null)
    return `It lies in the mailbox of run ${projectedEpoch}, which has not taken it yet; ${left}.`
  return `It is due, and waits for a run; ${left}.`
}

/** Beside others no message is given up: one that has died with them to its last try is tried once more by itself. */
function tellTries({ tries, isSuspect }: Message, maxTries: number): string {
  const left = maxTries - tries
  const words =
    left > 0
      ? `${left} of ${maxTries} tries ${left === 1 ? 'is' : 'are'} left`
      : 'all its tries are spent, and one more is its last'
  return isSuspect ? `${words}; it has died more than once, and is handed out alone` : words
}
