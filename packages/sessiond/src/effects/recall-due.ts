import type { EffectDeps } from './deps.ts'

/**
 * Undoes what a wall clock set back does to messages and replies that were due already: without it they would wait
 * until the clock has come as far again. A clock that is right costs two look-ups.
 */
export async function recallDue({ store, world }: Pick<EffectDeps, 'store' | 'world'>): Promise<void> {
  let isMoreLeft = true
  // The clock is read anew each time, or what is accepted meanwhile would look as if it were ahead.
  while (isMoreLeft) isMoreLeft = await store.recallDue(world.now())
}
