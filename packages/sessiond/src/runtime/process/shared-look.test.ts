import { expect, test } from 'vitest'
import { SharedLook } from './shared-look.ts'

/** A look whose ends the test decides. */
function controlled() {
  const looks: PromiseWithResolvers<number>[] = []
  const shared = new SharedLook(() => {
    const look = Promise.withResolvers<number>()
    looks.push(look)
    return look.promise
  })
  return { looks, shared }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('all who ask before a look has begun share it', async () => {
  const { looks, shared } = controlled()
  const taken = [shared.take(), shared.take(), shared.take()]
  await settled()
  expect(looks).toHaveLength(1)
  looks[0]?.resolve(1)
  expect(await Promise.all(taken)).toEqual([1, 1, 1])
})

test('who asks while one is under way gets the next one, which waits for it', async () => {
  const { looks, shared } = controlled()
  const first = shared.take()
  await settled()
  const late = [shared.take(), shared.take()]
  await settled()
  expect(looks).toHaveLength(1)
  looks[0]?.resolve(1)
  expect(await first).toBe(1)
  await settled()
  expect(looks).toHaveLength(2)
  looks[1]?.resolve(2)
  expect(await Promise.all(late)).toEqual([2, 2])
})

test('a look that fails fails for its takers alone', async () => {
  const { looks, shared } = controlled()
  const first = shared.take()
  await settled()
  const next = shared.take()
  looks[0]?.reject(new Error('no table'))
  await expect(first).rejects.toThrow('no table')
  await settled()
  looks[1]?.resolve(2)
  expect(await next).toBe(2)
})
