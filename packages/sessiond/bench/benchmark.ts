import type { Scratch } from './scratch.ts'

export type Unit = 'ms' | 'ratio' | '/s' | '%' | 'MB' | 's' | 'count'

/** What a figure has to keep to. */
export type Target = { readonly atMost: number } | { readonly atLeast: number }

/** One line of the table. */
export interface Row {
  readonly what: string
  /** Null: not measured; the note says why. */
  readonly value: number | null
  readonly unit: Unit
  /** Null: there for comparison only. */
  readonly target: Target | null
  readonly note: string
}

export interface BenchContext {
  readonly scratch: Scratch
  /** Few samples: shows that a benchmark works, not what the figure is. */
  readonly isQuick: boolean
  /** Tells the person at the terminal how far it is. */
  say(text: string): void
}

/** One measurement with its own hosts and data directories; leaves nothing behind. */
export interface Benchmark {
  readonly name: string
  readonly about: string
  run(context: BenchContext): Promise<Row[]>
}

/** Whether a figure keeps to its target; null when there is nothing to judge. */
export function meetsTarget({ value, target }: Row): boolean | null {
  if (value === null || target === null) return null
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast
}
