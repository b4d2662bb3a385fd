import { describe, expect, it } from 'vitest'
import type { Ack, InboundLook } from '../mailbox-client.ts'
import { AckLedger } from './ack-ledger.ts'

const EMPTY: InboundLook = { epoch: 1, takenSeq: 0, timeZone: null, messages: [] }

function completed(messageId: string): Ack {
  return { messageId, attempt: 1, status: 'completed', error: null, retryAtMs: null, trouble: null }
}

describe('AckLedger', () => {
  it('prunes ends the host shows no more, never a claim', () => {
    const ledger = new AckLedger(1, [])
    ledger.noteClaimed([
      { messageId: 'open', attempt: 1 },
      { messageId: 'done', attempt: 1 },
    ])
    ledger.noteEnded([completed('done')])
    expect(ledger.prunable(EMPTY)).toEqual(['done'])
  })

  it('remembers what it pruned, so that a stale row of the host is not worked on twice', () => {
    const ledger = new AckLedger(1, [])
    ledger.noteEnded([completed('m')])
    ledger.notePruned(['m'])
    expect(ledger.prunable(EMPTY)).toEqual([])
    expect(ledger.acks.get('m')).toMatchObject({ status: 'completed', attempt: 1 })
  })

  it('forgets the oldest first, and only what was pruned', () => {
    const ledger = new AckLedger(1, [{ messageId: 'kept', attempt: 1, status: 'failed', epoch: 1 }])
    for (let count = 0; count < 1_001; count += 1) {
      ledger.noteEnded([completed(`m${count}`)])
      ledger.notePruned([`m${count}`])
    }
    expect(ledger.acks.has('m0')).toBe(false)
    expect(ledger.acks.has('m1')).toBe(true)
    expect(ledger.acks.size).toBe(1_001)
    expect(ledger.prunable(EMPTY)).toEqual(['kept'])
  })

  it('holds a message that is claimed again', () => {
    const ledger = new AckLedger(1, [])
    ledger.noteEnded([completed('m')])
    ledger.notePruned(['m'])
    ledger.noteClaimed([{ messageId: 'm', attempt: 2 }])
    expect(ledger.prunable(EMPTY)).toEqual([])
    ledger.noteEnded([{ ...completed('m'), attempt: 2 }])
    expect(ledger.prunable(EMPTY)).toEqual(['m'])
  })
})
