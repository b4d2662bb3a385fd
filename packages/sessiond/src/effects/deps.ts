import type { HostConfig } from '../config/config.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Run } from '../model/run.ts'
import type { RunWatches } from '../observe/run-watch.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { RunKey, Store } from '../store/store.ts'
import type { World } from '../world.ts'

/** What effects act through. */
export interface EffectDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly mailbox: Mailbox
  readonly runtimes: ReadonlyMap<string, Runtime>
  readonly watches: RunWatches
}

/** What an effect did, in a word, for reports; `done` false: its precondition no longer held and nothing was written. */
export interface EffectOutcome {
  readonly done: boolean
  readonly outcome: string
  /** True: other sessions of the same account may work now, or no longer. */
  readonly accountMoved?: boolean
  /** When to try again what could not be done now; left out: as usual. */
  readonly againInMs?: number
}

export function keyOf(run: Run): RunKey {
  return { sessionId: run.sessionId, epoch: run.epoch, name: run.name }
}

/** Names of the sinks a session's replies go to; a group that left the configuration has none. */
export function sinksOf(config: HostConfig, group: string): readonly string[] {
  return config.groups.get(group)?.sinks ?? []
}

/** Words of any thrown value, bounded, for journal and error columns. */
export function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return words.length > 500 ? `${words.slice(0, 500)}…` : words
}
