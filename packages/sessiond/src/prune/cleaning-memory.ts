import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RowCursor } from '../store/store.ts'
import { STAGES, type Stage } from './apply-house.ts'

/** What the next cleaning must know of the last, a restart in between or not. */
export interface LastCleaning {
  readonly endedAtMs: number
  /** Where the next begins; null: nothing was left. */
  readonly goOnWith: Stage | null
  /** Where the pruning of rows stopped; null: it came to its end. */
  readonly rowsFrom: RowCursor | null
}

export interface CleaningMemory {
  /** Null: no cleaning is on record, or what is cannot be made sense of. */
  read(): Promise<LastCleaning | null>
  write(last: LastCleaning): Promise<void>
}

const FILE = 'cleaning.json'
const MAX_CHARS = 1_000

/** Keeps it in a small file of the data directory: the journal, which tells it too, is itself cleaned. */
export function fileMemory(dataDir: string): CleaningMemory {
  const path = join(dataDir, FILE)
  return {
    async read() {
      try {
        return parse(JSON.parse((await readFile(path, 'utf8')).slice(0, MAX_CHARS)))
      } catch {
        return null
      }
    },
    async write({ endedAtMs, goOnWith, rowsFrom }) {
      // Renamed into place, so that a crash leaves the one or the other.
      await writeFile(`${path}.new`, `${JSON.stringify({ endedAtMs, goOnWith, rowsFrom })}\n`, { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
  }
}

function parse(value: unknown): LastCleaning | null {
  if (typeof value !== 'object' || value === null) return null
  const { endedAtMs, goOnWith, rowsFrom } = value as Record<string, unknown>
  if (typeof endedAtMs !== 'number' || !Number.isFinite(endedAtMs)) return null
  return {
    endedAtMs,
    goOnWith: STAGES.find((stage) => stage === goOnWith) ?? null,
    rowsFrom: typeof rowsFrom === 'string' ? (rowsFrom as RowCursor) : null,
  }
}
