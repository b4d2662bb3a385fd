import type { EffectDeps } from './deps.ts'

/**
 * Ends everything that still waits in closed sessions, batch by batch, so that a session with a hundred thousand
 * messages stops nobody else. Cut short, it is gone on with by whoever calls it next.
 */
export async function endClosed({ store, world }: Pick<EffectDeps, 'store' | 'world'>): Promise<void> {
  let isMoreLeft = true
  while (isMoreLeft) isMoreLeft = await store.endClosed(world.now())
}
