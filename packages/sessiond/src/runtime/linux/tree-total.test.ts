import { describe, expect, test } from 'vitest'
import { type TreePart, TreeTotal } from './tree-total.ts'

/** One look: each process with its parent, its own figure and what it has inherited. */
type Look = Readonly<Record<string, readonly [parent: string | null, own: number, inherited: number]>>

function totalsOf(looks: readonly Look[]): number[] {
  const total = new TreeTotal()
  return looks.map((look) =>
    total.next(
      new Map(
        Object.entries(look).map(([key, [parent, own, inherited]]): [string, TreePart] => [
          key,
          { parent, total: own + inherited, inherited },
        ]),
      ),
    ),
  )
}

describe('TreeTotal', () => {
  test.each<[string, Look[], number[]]>([
    [
      'adds up what lives',
      [
        { a: [null, 5, 0], b: ['a', 7, 0] },
        { a: [null, 6, 0], b: ['a', 9, 0] },
      ],
      [12, 15],
    ],
    ['begins with what was inherited before', [{ a: [null, 5, 100] }], [105]],
    [
      'counts a child once that its parent has waited for',
      [{ a: [null, 1, 0], b: ['a', 9, 0] }, { a: [null, 1, 10] }],
      [10, 11],
    ],
    [
      'counts a child once whose parent was read before it waited',
      [{ a: [null, 1, 0], b: ['a', 9, 0] }, { a: [null, 1, 0] }, { a: [null, 1, 10] }, { a: [null, 2, 10] }],
      [10, 10, 11, 12],
    ],
    [
      'keeps a child that nobody waits for',
      [{ a: [null, 1, 0], b: ['a', 9, 0] }, { a: [null, 1, 0] }, { a: [null, 2, 0] }, { a: [null, 3, 5] }],
      [10, 10, 11, 17],
    ],
    ['keeps an orphan that has ended', [{ a: [null, 1, 0], b: [null, 9, 0] }, { a: [null, 2, 0] }], [10, 11]],
    [
      'finds what a child and its parent have left to the one above',
      [{ a: [null, 1, 0], b: ['a', 5, 0], c: ['b', 7, 0] }, { a: [null, 1, 13] }],
      [13, 14],
    ],
    [
      'keeps what a child owes when its parent ends before it was paid',
      [{ a: [null, 1, 0], b: ['a', 5, 0], c: ['b', 7, 0] }, { a: [null, 1, 0], b: ['a', 5, 0] }, { a: [null, 1, 13] }],
      [13, 13, 14],
    ],
    ['counts children nobody saw', [{ a: [null, 1, 0] }, { a: [null, 1, 50] }], [1, 51]],
    ['keeps everything when all have ended', [{ a: [null, 4, 3] }, {}, { b: [null, 1, 0] }], [7, 7, 8]],
    [
      'tells a process from a later one of the same pid, which has another key',
      [{ 'p1:1': [null, 9, 0] }, { 'p1:2': [null, 2, 0] }],
      [9, 11],
    ],
    ['stands a ring of parents', [{ a: ['b', 1, 0], b: ['a', 2, 0] }, {}], [3, 3]],
  ])('%s', (_, looks, totals) => {
    expect(totalsOf(looks)).toEqual(totals)
  })
})
