import { realWorld, type World } from '../../src/world.ts'

/** A world with clocks to set. */
export interface SettableWorld {
  readonly world: World
  stepWallClock(ms: number): void
  stall(ms: number): void
}

/** The real world with clocks that can be set: the wall clock by hand, the monotonic one as a stall of the host does. */
export function settableWorld(): SettableWorld {
  let [wallMs, monotonicMs] = [0, 0]
  const world: World = {
    ...realWorld,
    now: () => realWorld.now() + wallMs,
    monotonicMs: () => realWorld.monotonicMs() + monotonicMs,
  }
  return {
    world,
    stepWallClock: (ms) => {
      wallMs += ms
    },
    stall: (ms) => {
      monotonicMs += ms
    },
  }
}
