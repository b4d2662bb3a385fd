/**
 * The points of the protocol at which a run may die with a different mess left behind. `claiming` and `completing`
 * lie inside a write transaction whose pages are already on disk, so that dying there leaves a hot journal.
 */
export type Step =
  | 'started'
  | 'looked'
  | 'claiming'
  | 'claimed'
  | 'handed-over'
  | 'replied'
  | 'completing'
  | 'completed'

/** Every step, in the order a message meets them. */
export const STEPS: readonly Step[] = [
  'started',
  'looked',
  'claiming',
  'claimed',
  'handed-over',
  'replied',
  'completing',
  'completed',
]

/** Called at each step; for crash tests. It may end the process and must not throw. */
export type OnStep = (step: Step) => void
