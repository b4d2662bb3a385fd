import { expect, it } from 'vitest'
import { inOrder } from './walk-session.ts'

const PATH = Buffer.from('work')

it('sorts the names of a folder by their bytes, those without a text among them', () => {
  const names = ['b', Buffer.of(0xff), 'ü', 'a', Buffer.of(0xfe), 'B']
  expect(inOrder(names, PATH)).toEqual(['B', 'a', 'b', 'ü', Buffer.of(0xfe), Buffer.of(0xff)])
})

it.each([[['a', 'b', 'a']], [[Buffer.of(0xff), 'a', Buffer.of(0xff)]]])(
  '(invariant 10) refuses a folder of which a name was read twice',
  (names) => {
    expect(() => inOrder(names, PATH)).toThrow(expect.objectContaining({ because: 'changed', path: 'work' }))
  },
)
