import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TreePart, TreeTotal } from './tree-total.ts'

interface Process {
  parent: number
  own: number
  inherited: number
}

/** A tree of processes as the kernel keeps it, with what all of them have used in truth. */
class Tree {
  readonly living = new Map<number, Process>([[0, { parent: -1, own: 0, inherited: 0 }]])
  used = 0
  #next = 1

  use(pick: number, amount: number): void {
    this.#pick(pick)[1].own += amount
    this.used += amount
  }

  fork(pick: number): void {
    this.living.set(this.#next++, { parent: this.#pick(pick)[0], own: 0, inherited: 0 })
  }

  /** The first one lives as long as the run. */
  end(pick: number, isWaitedFor: boolean): void {
    const [id, { parent, own, inherited }] = this.#pick(pick)
    if (id === 0) return
    this.living.delete(id)
    for (const child of this.living.values()) if (child.parent === id) child.parent = -1
    const heir = this.living.get(parent)
    if (isWaitedFor && heir !== undefined) heir.inherited += own + inherited
  }

  parts(): Map<string, TreePart> {
    return new Map(
      [...this.living].map(([id, { parent, own, inherited }]) => [
        String(id),
        { parent: parent < 0 ? null : String(parent), total: own + inherited, inherited },
      ]),
    )
  }

  #pick(pick: number): [number, Process] {
    const all = [...this.living]
    return all[pick % all.length] ?? [0, { parent: -1, own: 0, inherited: 0 }]
  }
}

const pick = fc.nat(20)
const step = fc.oneof(
  fc.record({ do: fc.constant('use' as const), pick, amount: fc.nat(100) }),
  fc.record({ do: fc.constant('fork' as const), pick }),
  fc.record({ do: fc.constant('end' as const), pick, isWaitedFor: fc.boolean() }),
  fc.record({ do: fc.constant('look' as const) }),
)

test('never goes back, and never tells more than was used', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [tree, total] = [new Tree(), new TreeTotal()]
      let last = 0
      for (const one of steps) {
        if (one.do === 'use') tree.use(one.pick, one.amount)
        if (one.do === 'fork') tree.fork(one.pick)
        if (one.do === 'end') tree.end(one.pick, one.isWaitedFor)
        if (one.do !== 'look') continue
        const told = total.next(tree.parts())
        expect(told).toBeGreaterThanOrEqual(last)
        expect(told).toBeLessThanOrEqual(tree.used)
        last = told
      }
    }),
    { numRuns: 500 },
  )
})

test('tells exactly what was used while every child is waited for by a living parent', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [tree, total] = [new Tree(), new TreeTotal()]
      for (const one of steps) {
        if (one.do === 'use') tree.use(one.pick, one.amount)
        if (one.do === 'fork') tree.fork(one.pick)
        // Children of one that ends are nobody's to wait for: only the youngest ends.
        if (one.do === 'end') tree.end(tree.living.size - 1, true)
        if (one.do === 'look') expect(total.next(tree.parts())).toBe(tree.used)
      }
    }),
    { numRuns: 500 },
  )
})
