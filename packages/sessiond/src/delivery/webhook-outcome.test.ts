import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'
import { isPermanentStatus, refusalOf } from './webhook-outcome.ts'

describe('isPermanentStatus', () => {
  it.each([300, 301, 302, 304, 307, 308, 399, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499])(
    '(B11) takes %i as permanent',
    (status) => expect(isPermanentStatus(status)).toBe(true),
  )

  it.each([408, 409, 425, 429, 500, 502, 503, 504, 599])('takes %i as one that may pass', (status) =>
    expect(isPermanentStatus(status)).toBe(false),
  )
})

describe('refusalOf', () => {
  it('passes a Retry-After on with a 429', () => {
    expect(refusalOf(429, new Headers({ 'retry-after': '7' }))).toEqual({
      confirmed: false,
      permanent: false,
      error: 'HTTP 429',
      retryAfterMs: 7000,
    })
  })

  it('says of a redirect that it was not followed', () => {
    expect(refusalOf(302, new Headers({ location: 'http://elsewhere/' }))).toMatchObject({
      permanent: true,
      error: 'HTTP 302: redirects are not followed',
    })
  })
})

describe('parseRetryAfter', () => {
  const date = 'Fri, 01 Mar 2030 10:00:00 GMT'
  it.each([
    ['nothing', null, date, undefined],
    ['seconds', '120', null, 120_000],
    ['zero', '0', null, 0],
    ['seconds in blanks', ' 5 ', null, 5000],
    ['a negative number', '-5', date, undefined],
    ['a fraction', '1.5', date, undefined],
    ['more digits than an age has', '99999999999', date, undefined],
    ['a date, by the Date of the same answer', 'Fri, 01 Mar 2030 10:00:30 GMT', date, 30_000],
    ['a date without a Date beside it', 'Fri, 01 Mar 2030 10:00:30 GMT', null, undefined],
    ['a date gone by', 'Fri, 01 Mar 2030 09:59:59 GMT', date, undefined],
    ['nonsense', 'soon', date, undefined],
  ])('reads %s', (_name, header, dateHeader, expected) => {
    expect(parseRetryAfter(header, dateHeader)).toBe(expected)
  })
})
