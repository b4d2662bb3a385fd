import { expect, it } from 'vitest'
import { parseTrouble } from '../src/trouble.ts'

it.each([
  ['rate-limit', 'rate-limit'],
  ['outage', 'outage'],
  ['Outage', null],
  [' outage', null],
  ['rate_limit', null],
  ['', null],
  ['toString', null],
  [0, null],
  [7n, null],
  [new Uint8Array([1]), null],
  [null, null],
  [undefined, null],
])('%o is the trouble %o', (value, trouble) => {
  expect(parseTrouble(value)).toBe(trouble)
})
