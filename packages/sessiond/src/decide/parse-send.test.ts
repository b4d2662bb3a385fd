import { describe, expect, it } from 'vitest'
import type { SendRequest } from '../api.ts'
import { type ErrorCode, hasCode } from '../model/errors.ts'
import { parseSend } from './parse-send.ts'

const now = Date.UTC(2030, 0, 1)
const rules = { groups: new Set(['shell']), textBytes: 100 }
const good: SendRequest = { group: 'shell', text: 'hello' }

function parse(change: Partial<SendRequest>) {
  return parseSend({ ...good, ...change }, rules, now, () => 'm-new')
}

function codeOf(change: Partial<SendRequest>): ErrorCode | undefined {
  try {
    parse(change)
    return undefined
  } catch (error) {
    if (hasCode(error)) throw error
    return (error as { code?: ErrorCode }).code
  }
}

describe('parseSend', () => {
  it('completes a request with its defaults', () => {
    expect(parse({})).toMatchObject({
      id: 'm-new',
      sessionId: 'shell/main',
      kind: 'chat',
      content: '{"text":"hello"}',
      processAfterMs: now,
      trigger: true,
    })
  })

  it.each<[string, Partial<SendRequest>, ErrorCode]>([
    ['an unknown group', { group: 'nope' }, 'GROUP_UNKNOWN'],
    ['a session that climbs', { session: '../x' }, 'SESSION_NAME_INVALID'],
    ['a session with NUL', { session: 'a\0b' }, 'SESSION_NAME_INVALID'],
    ['an empty session', { session: '' }, 'SESSION_NAME_INVALID'],
    ['a session of 65 characters', { session: 'x'.repeat(65) }, 'SESSION_NAME_INVALID'],
    ['an empty text', { text: '' }, 'TEXT_EMPTY'],
    ['a blank text', { text: ' \n\t' }, 'TEXT_EMPTY'],
    ['a text over the bound', { text: 'x'.repeat(101) }, 'TEXT_TOO_LARGE'],
    ['a text over the bound in bytes only', { text: 'ü'.repeat(51) }, 'TEXT_TOO_LARGE'],
    ['a lone surrogate', { text: 'a\ud800' }, 'TEXT_NOT_UTF8'],
    ['an id that climbs', { id: 'a/../b' }, 'MESSAGE_ID_INVALID'],
    ['a time without a zone', { after: '2030-01-02 09:00' }, 'TIME_WITHOUT_ZONE'],
    ['a time in the past', { after: '2029-12-31T23:59:54Z' }, 'TIME_IN_PAST'],
    ['an impossible date', { after: '2030-02-30T09:00:00Z' }, 'TIME_INVALID'],
    ['words', { after: 'soon' }, 'TIME_INVALID'],
    ['a time in the next century', { after: '2131-01-01T00:00:00Z' }, 'TIME_TOO_FAR'],
  ])('refuses %s', (_, change, code) => {
    expect(codeOf(change)).toBe(code)
  })

  it.each([
    ['2030-01-01T09:00:00+01:00', Date.UTC(2030, 0, 1, 8)],
    ['10m', now + 600_000],
    ['2029-12-31T23:59:57Z', now],
  ])('reads %s', (after, processAfterMs) => {
    expect(parse({ after }).processAfterMs).toBe(processAfterMs)
  })

  it('shows hostile input escaped and short', () => {
    expect(() => parse({ group: `\u001b[31m${'x'.repeat(500)}` })).toThrow(/^Group "\\u001b\[31mx{75}…"/)
  })
})
