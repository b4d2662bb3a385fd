import { formatDuration } from '../config/duration.ts'
import { escapeLine } from '../model/escape.ts'

const STEPS = [
  { fromMs: 10_000, stepMs: 1_000 },
  { fromMs: 1_000, stepMs: 100 },
] as const

/** A span as the configuration writes it, to the second where seconds are what counts: `4m30s`, `250ms`. */
export function spanWords(ms: number): string {
  const step = STEPS.find(({ fromMs }) => ms >= fromMs)?.stepMs ?? 1
  return formatDuration(Math.max(0, Math.round(ms / step) * step))
}

/** An instant in UTC to the second: the reader may sit in another zone than the host. */
export function instantWords(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** A size in its largest unit, rounded: `12 MiB`. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return `${Math.round(bytes / 1024 ** power)} ${units[power]}`
}

/** A figure of a piece of evidence; null where it is none. */
export function figureOf(evidence: Readonly<Record<string, unknown>>, key: string): number | null {
  const value = evidence[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** A word of a piece of evidence, harmless within a sentence; null where it is none. */
export function wordOf(evidence: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = evidence[key]
  return typeof value === 'string' ? plain(value) : null
}

/** What a run said in a piece of evidence, quoted; null where it said nothing. */
export function quoteOf(evidence: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = evidence[key]
  return typeof value === 'string' ? quoted(value) : null
}

/** No name and no word of the host's is longer. */
const PLAIN_CHARS = 500
const QUOTED_CHARS = 500

/** Text from outside as part of a sentence: it cannot end its line, nor reorder or hide what is around it. */
export function plain(text: string): string {
  return escapeLine(text, PLAIN_CHARS)
}

/** What a run said or chose: nothing in it can end the quotes, so that nobody takes it for the host's own word. */
export function quoted(text: string): string {
  const cut = text.length > QUOTED_CHARS ? `${text.slice(0, QUOTED_CHARS).trimEnd()}…` : text
  return `"${escapeLine(cut.replaceAll(/["\\]/g, '\\$&'))}"`
}
