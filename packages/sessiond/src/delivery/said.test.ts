import { expect, it } from 'vitest'
import { quoteOf } from './said.ts'

it.each([
  ['{"text":"shall\\n we?"}', 'shall we?'],
  [JSON.stringify({ text: 'x'.repeat(201) }), `${'x'.repeat(200)}…`],
  [JSON.stringify({ text: '😀'.repeat(200) }), '😀'.repeat(200)],
  ['{"text":"\\u202eevil\\u0007"}', 'evil'],
  ['{"text":" "}', null],
  ['{"text":5}', null],
  ['{"order":5}', null],
  ['not {json', null],
])('quotes %s as %j', (content, quote) => {
  expect(quoteOf(content)).toBe(quote)
})
