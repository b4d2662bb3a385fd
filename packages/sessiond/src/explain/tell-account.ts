import type { Trouble } from '@sessiond/protocol'
import type { AccountBar } from '../model/account.ts'
import { instantWords, plain } from './words.ts'

/** What holds a session back although something is due, and what its account was parked for; null: not known. */
export interface HeldBack extends AccountBar {
  readonly reason: Trouble | null
}

/** Which account holds a session back, why, and until when where that is known. A clause. */
export function tellAccount({ account, state, parkedUntilMs, reason }: HeldBack, nowMs: number): string {
  const cause = reason === null ? 'trouble with its provider' : TROUBLES[reason]
  const name = `account ${plain(account)}`
  switch (state) {
    case 'parked':
      if (parkedUntilMs > nowMs) return `${name} is parked until ${instantWords(parkedUntilMs)} because of ${cause}`
      return `${name} was parked until ${instantWords(parkedUntilMs)} because of ${cause}, and one session has to try it first`
    case 'probing':
      return `${name} had been parked because of ${cause}, and another session tries whether its provider answers again`
    case 'ramping':
    case 'open':
      return `${name} had been parked because of ${cause}, and lets its sessions work again a few at a time`
  }
}

const TROUBLES: Readonly<Record<Trouble, string>> = {
  'rate-limit': 'a rate limit',
  outage: 'an outage of its provider',
}
