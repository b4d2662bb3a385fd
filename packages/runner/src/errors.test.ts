import { expect, test } from 'vitest'
import { describeError } from './errors.ts'

test.each<[string, unknown, string]>([
  ['an error', new Error('no space'), 'no space'],
  ['an error without words', new TypeError(), 'TypeError'],
  ['an error whose message is no text', Object.assign(new Error(), { message: { status: 429 } }), '{ status: 429 }'],
  ['a text', 'gone', 'gone'],
  ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
  ['nothing', undefined, 'undefined'],
  [
    'an object that cannot be told as text',
    { toString: () => Promise.reject(1) },
    '{ toString: [Function: toString] }',
  ],
])('describes %s, whatever it is', (_, thrown, words) => {
  expect(describeError(thrown)).toBe(words)
})
