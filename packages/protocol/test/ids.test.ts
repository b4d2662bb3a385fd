import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isValidId, isValidName } from '../src/index.ts'

const HOSTILE = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  'a\\b',
  'a\0b',
  'a b',
  'a\n',
  '-rf',
  '.hidden',
  '_x',
  'ä',
  'a..b',
  'a%2fb',
]

describe('isValidId', () => {
  it.each(['a', '0', 'm-1', 'r-2b1c', 'user@example.org', 'a:b', 'A.b_c-d', 'x'.repeat(128)])('accepts %j', (id) => {
    expect(isValidId(id)).toBe(true)
  })

  it.each([...HOSTILE, 'x'.repeat(129)])('(G1) refuses %j', (id) => {
    expect(isValidId(id)).toBe(false)
  })
})

describe('isValidName', () => {
  it.each(['a', 'main', 'team-1', 'A.b_c', 'x'.repeat(64)])('accepts %j', (name) => {
    expect(isValidName(name)).toBe(true)
  })

  it.each([...HOSTILE, 'a:b', 'a@b', 'a.', 'x'.repeat(65)])('(G1) refuses %j', (name) => {
    expect(isValidName(name)).toBe(false)
  })
})

describe.each([
  ['isValidId', isValidId],
  ['isValidName', isValidName],
])('whatever %s accepts', (_, isValid) => {
  /** Mostly what may stand in an id, so that many samples are accepted, and some that may not. */
  const candidates = fc.string({ unit: fc.constantFrom(...'abzAZ059._:@-/\\\0 \n~'), minLength: 1, maxLength: 12 })

  it('(G1) is one path segment that stays where it is put', () => {
    fc.assert(
      fc.property(candidates, (text) => {
        fc.pre(isValid(text))
        expect(posix.join('/root', text)).toBe(`/root/${text}`)
        expect(posix.dirname(posix.join('/root', text))).toBe('/root')
        expect(text).not.toContain('\0')
      }),
    )
  })
})
