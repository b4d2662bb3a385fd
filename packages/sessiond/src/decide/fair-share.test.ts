import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fairShare } from './fair-share.ts'

interface Item {
  readonly owner: number
  readonly weight: number
}

const OF = { ownerOf: ({ owner }: Item) => owner, weightOf: ({ weight }: Item) => weight }

function light(owner: number, count: number): Item[] {
  return Array.from({ length: count }, () => ({ owner, weight: 1 }))
}

function countOf(items: readonly Item[], owner: number): number {
  return items.filter((item) => item.owner === owner).length
}

test.each([
  [[5, 3], 8, [5, 3]],
  [[100, 3], 10, [7, 3]],
  [[100, 100], 10, [5, 5]],
  [[100, 100, 1], 10, [5, 4, 1]],
  [[3, 3, 3], 2, [1, 1, 0]],
])('of owners who have %j, %d are shared as %j', (counts, maxWeight, expected) => {
  const items = counts.flatMap((count, owner) => light(owner, count))
  const chosen = fairShare(items, OF, maxWeight)
  expect(counts.map((_, owner) => countOf(chosen, owner))).toEqual(expected)
})

test('each has its first ones, and the order stays', () => {
  const items = [...light(0, 3), ...light(1, 1), ...light(0, 1)]
  expect(fairShare(items, OF, 3)).toEqual([items[0], items[1], items[3]])
})

test('what alone is too heavy goes all the same', () => {
  expect(fairShare([{ owner: 0, weight: 9 }], OF, 4)).toHaveLength(1)
})

test('never more than the weight, and no owner gives way to another that has more', () => {
  const anyItems = fc.array(fc.record({ owner: fc.nat(4), weight: fc.constant(1) }), { maxLength: 60 })
  const property = fc.property(anyItems, fc.integer({ min: 1, max: 40 }), (items, maxWeight) => {
    const chosen = fairShare(items, OF, maxWeight)
    expect(chosen.length).toBe(Math.min(items.length, maxWeight))
    const most = Math.max(...[0, 1, 2, 3, 4].map((owner) => countOf(chosen, owner)))
    for (let owner = 0; owner <= 4; owner += 1) {
      const has = countOf(chosen, owner)
      if (has < countOf(items, owner)) expect(has).toBeGreaterThanOrEqual(most - 1)
    }
  })
  fc.assert(property, { numRuns: 300 })
})
