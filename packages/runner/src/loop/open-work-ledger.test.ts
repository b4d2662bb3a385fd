import { describe, expect, it } from 'vitest'
import { OpenWorkLedger } from './open-work-ledger.ts'

function ledgerAt(): { ledger: OpenWorkLedger; changes: string[] } {
  const changes: string[] = []
  const onChange = (haste: string, isProgress: boolean) => changes.push(`${haste}${isProgress ? ' progress' : ''}`)
  return { ledger: new OpenWorkLedger({ now: () => 7, onChange }), changes }
}

describe('OpenWorkLedger', () => {
  it('takes a handler that says nothing to wait for something, until it opens a tool or asks a model', () => {
    const { ledger } = ledgerAt()
    ledger.beginBatch()
    expect(ledger.openWork()).toMatchObject({ tools: [], wait: { reason: 'agent' } })
    const lease = ledger.tool('Bash', { timeoutMs: 90_000 })
    expect(ledger.openWork()).toMatchObject({ tools: [{ name: 'Bash', timeoutMs: 90_000 }], wait: null })
    lease.end()
    expect(ledger.openWork(), 'it may ask one without a word').toMatchObject({ tools: [], wait: { reason: 'agent' } })
    ledger.modelWait().end()
    ledger.tool('Bash').end()
    expect(ledger.openWork(), 'it tells when it does').toEqual({ tools: [], wait: null })
  })

  it('follows a question from its sending to its end', () => {
    const { ledger, changes } = ledgerAt()
    const wait = ledger.modelWait()
    expect(ledger.openWork().wait).toEqual({ seq: 1, reason: 'request', forMs: null, pings: 0 })
    wait.ping()
    wait.heldOff('rate-limit', 5_000)
    expect(ledger.openWork().wait).toEqual({ seq: 2, reason: 'rate-limit', forMs: 5_000, pings: 1 })
    wait.streaming()
    wait.streaming()
    expect(ledger.openWork().wait).toMatchObject({ seq: 3, reason: 'stream', forMs: null })
    wait.end()
    wait.end()
    expect(ledger.openWork().wait).toBeNull()
    expect(changes).toEqual(['soon', 'later', 'soon', 'soon progress', 'soon progress'])
  })

  it('lets a later question take the place of the one before, whose word counts no more', () => {
    const { ledger } = ledgerAt()
    const first = ledger.modelWait()
    ledger.modelWait()
    first.heldOff('outage', 1)
    first.end()
    expect(ledger.openWork().wait).toMatchObject({ reason: 'request', seq: 2 })
  })

  it('renews a lease with the time it had, or another, and numbers each renewal', () => {
    const { ledger } = ledgerAt()
    const lease = ledger.tool('build', { timeoutMs: 60_000 })
    lease.renew()
    expect(ledger.openWork().tools).toMatchObject([{ timeoutMs: 60_000, renewals: 1 }])
    lease.renew({ timeoutMs: 9_000 })
    expect(ledger.openWork().tools).toMatchObject([{ timeoutMs: 9_000, renewals: 2 }])
    lease.end()
    lease.renew()
    expect(ledger.openWork().tools).toEqual([])
  })

  it('shows those who know of one tool the newest that is waited for', () => {
    const { ledger } = ledgerAt()
    ledger.tool('outer')
    ledger.tool('server', { background: true })
    expect(ledger.newest()).toMatchObject({ name: 'outer', sinceMs: 7 })
  })

  it('ends with its batch whatever was left open', () => {
    const { ledger, changes } = ledgerAt()
    ledger.beginBatch()
    ledger.tool('forgotten')
    ledger.modelWait()
    ledger.endBatch()
    expect(ledger.openWork()).toEqual({ tools: [], wait: null })
    expect(changes.at(-1), 'which is no progress of anything').toBe('soon')
  })

  it('takes no figure that is none', () => {
    const { ledger } = ledgerAt()
    ledger.tool('odd', { timeoutMs: Number.NaN, expectedMs: -1 })
    expect(ledger.openWork().tools).toMatchObject([{ timeoutMs: null, expectedMs: null }])
  })
})
