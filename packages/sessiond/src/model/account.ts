import type { Trouble } from '@sessiond/protocol'

/**
 * `open`: nothing holds its sessions back. `parked`: none is given work before `parkedUntilMs`. `probing`: one session
 * works, to see whether the provider answers again. `ramping`: it has answered, and some work, ever more of them.
 */
export const ACCOUNT_STATES = ['open', 'parked', 'probing', 'ramping'] as const

export type AccountState = (typeof ACCOUNT_STATES)[number]

/** What several sessions use together and a provider limits as one: an API key, a subscription. */
export interface Account {
  readonly name: string
  readonly state: AccountState
  /** What it was parked for last; null: it never was. */
  readonly reason: Trouble | null
  readonly parkedAtMs: number
  /** No session begins before. What it was last parked until, once it is parked no more. */
  readonly parkedUntilMs: number
  readonly probeSessionId: string | null
  /** Sessions that may work at once while it is ramping. */
  readonly allowed: number
  /** Times in a row that it was parked without having opened in between. */
  readonly troubles: number
  /** When time alone moves it on, unless trouble comes first; null: it waits for an event. */
  readonly stepAtMs: number | null
  /** How often it has answered after a trouble; counted, since a wall clock may be set back. */
  readonly answers: number
  /** There has been trouble since it answered last. */
  readonly isTroubled: boolean
  /** Sessions whose run was stopped because nothing moved, and nobody of the account was answered since. Newest last. */
  readonly stalls: readonly Stall[]
}

export interface Stall {
  readonly sessionId: string
  readonly atMs: number
}

/** An account that is not open, with who works on it. Working: its live run starts, or holds a message that asks for something. */
export interface AccountInUse extends Account {
  readonly working: number
  readonly isProbeWorking: boolean
  /** Its probe has claimed something. */
  readonly isProbeAtIt: boolean
}

/** Why a session is given no work although some is due. */
export interface AccountBar {
  readonly account: string
  readonly state: AccountState
  readonly parkedUntilMs: number
  /** How much is due and not claimed, what the run was handed before included. */
  readonly due: number
}

export function openAccount(name: string): Account {
  return {
    name,
    state: 'open',
    reason: null,
    parkedAtMs: 0,
    parkedUntilMs: 0,
    probeSessionId: null,
    allowed: 0,
    troubles: 0,
    stepAtMs: null,
    answers: 0,
    isTroubled: false,
    stalls: [],
  }
}
