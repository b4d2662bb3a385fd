import { z } from 'zod'
import { formatDuration, parseDurationMs } from './duration.ts'
import { formatSize, parseSizeBytes } from './size.ts'

/** What docs/configuration.md says of one option. */
export interface OptionDoc {
  readonly about: string
  readonly unit: string
  /** Shown as the default of an option that has no value of its own. */
  readonly absent?: string
  readonly tooLow?: string
  readonly tooHigh?: string
}

interface LeafDoc extends OptionDoc {
  /** Writes a value the way a person would write it in the configuration. */
  readonly format: (value: unknown) => string
}

/** Every single option with its documentation; what the page and the suggestions are made from. */
export const leafDocs: z.core.$ZodRegistry<LeafDoc> = z.registry<LeafDoc>()

/** A value read, or the rule it breaks and how to mend it. */
export type Reading<Out> = { readonly value: Out } | { readonly rule: string; readonly cure: string }

export type Leaf<Out> = z.ZodType<Out, unknown>

/** An option that is no object: one reader, one documentation, never more than one problem. */
export function leaf<Out>(
  doc: OptionDoc,
  read: (value: unknown) => Reading<Out>,
  format: (value: unknown) => string = (value) => JSON.stringify(value),
): Leaf<Out> {
  return z
    .unknown()
    .transform((value, context) => {
      const reading = read(value)
      if ('value' in reading) return reading.value
      context.addIssue({ code: 'custom', message: reading.rule, params: { cure: reading.cure } })
      return z.NEVER
    })
    .register(leafDocs, { ...doc, format })
}

type Documented = Omit<OptionDoc, 'unit'>

/** A duration between two bounds, both given as people write them. */
export function duration(doc: Documented & { readonly min: string; readonly max: string }): Leaf<number> {
  const [minMs, maxMs] = [toMs(doc.min), toMs(doc.max)]
  return leaf(
    { ...doc, unit: 'duration' },
    (value) => {
      const ms = parseDurationMs(value)
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return { value: ms }
      return {
        rule: `must be a duration from ${doc.min} to ${doc.max}`,
        cure: "Write text such as '250ms', '30m' or '1h30m', or a whole number of milliseconds.",
      }
    },
    (value) => formatDuration(Number(value)),
  )
}

/** A size between two bounds, both given as people write them. */
export function size(doc: Documented & { readonly min: string; readonly max: string }): Leaf<number> {
  const [minBytes, maxBytes] = [toBytes(doc.min), toBytes(doc.max)]
  return leaf(
    { ...doc, unit: 'size' },
    (value) => {
      const bytes = parseSizeBytes(value)
      if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return { value: bytes }
      return {
        rule: `must be a size from ${doc.min} to ${doc.max}`,
        cure: "Write text such as '64KiB' or '2MiB', or a whole number of bytes.",
      }
    },
    (value) => formatSize(Number(value)),
  )
}

/** A whole number between two bounds. */
export function count(
  doc: Documented & { readonly unit: string; readonly min: number; readonly max: number },
): Leaf<number> {
  return leaf(doc, (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= doc.min && value <= doc.max) return { value }
    return { rule: `must be a whole number from ${doc.min} to ${doc.max}`, cure: 'Write it without quotes.' }
  })
}

/** One word of a few. */
export function oneOf<const Word extends string>(doc: Documented & { readonly words: readonly Word[] }): Leaf<Word> {
  return leaf(
    { ...doc, unit: doc.words.map((word) => `\`${word}\``).join(' or ') },
    (value) => {
      const word = doc.words.find((each) => each === value)
      if (word !== undefined) return { value: word }
      return { rule: `must be one of ${doc.words.join(', ')}`, cure: 'Choose one of these words.' }
    },
    (value) => String(value),
  )
}

/** True or false. */
export function flag(doc: Documented): Leaf<boolean> {
  return leaf({ ...doc, unit: '`true` or `false`' }, (value) =>
    typeof value === 'boolean' ? { value } : { rule: 'must be true or false', cure: 'Write it without quotes.' },
  )
}

/** Text that keeps a rule. */
export function text(
  doc: OptionDoc & { readonly rule: string; readonly cure: string; readonly accepts: (value: string) => boolean },
): Leaf<string> {
  return leaf(
    doc,
    (value) => (typeof value === 'string' && doc.accepts(value) ? { value } : { rule: doc.rule, cure: doc.cure }),
    (value) => String(value),
  )
}

/** A list whose items all keep a rule; an item that does not is quoted only where it cannot be a secret. */
export function list(
  doc: OptionDoc & { readonly rule: string; readonly cure: string; readonly accepts: (items: string[]) => boolean },
): Leaf<readonly string[]> {
  return leaf(doc, (value) => {
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\0'))
    return isTexts && doc.accepts(value) ? { value: [...value] } : { rule: doc.rule, cure: doc.cure }
  })
}

/** Makes any leaf accept null, which means: no bound. */
export function orNull<Out>(inner: Leaf<Out>): Leaf<Out | null> {
  const doc = leafDocs.get(inner)
  if (doc === undefined) throw new TypeError('only a documented leaf can be nullable')
  return leaf<Out | null>(
    doc,
    (value) => {
      if (value === null) return { value: null }
      const result = inner.safeParse(value)
      if (result.success) return { value: result.data }
      const [issue] = result.error.issues
      const cure = issue?.code === 'custom' ? String(issue.params?.cure) : 'Correct it.'
      return {
        rule: `${issue?.message ?? 'is not valid'}, or null for none`,
        cure: `${cure} Null, without quotes, is for no bound.`,
      }
    },
    (value) => (value === null ? 'none' : doc.format(value)),
  )
}

/** The milliseconds of a duration written in this program; throws TypeError on a slip. */
export function toMs(written: string): number {
  const ms = parseDurationMs(written)
  if (ms === undefined) throw new TypeError(`no duration: ${written}`)
  return ms
}

/** The bytes of a size written in this program; throws TypeError on a slip. */
export function toBytes(written: string): number {
  const bytes = parseSizeBytes(written)
  if (bytes === undefined) throw new TypeError(`no size: ${written}`)
  return bytes
}
