import { z } from 'zod'
import { hostSchema } from './host-schema.ts'
import { leafDocs, type OptionDoc } from './leaf.ts'

/** One option as the documentation and the typo suggestions see it. */
export interface OptionEntry extends OptionDoc {
  /** Dotted, with `<name>` where people choose the name and `[]` for each item of a list. */
  readonly path: string
  /** The default as people would write it, or words where there is no single value. */
  readonly defaultText: string
}

/** Every option there is, in the order of the schema. */
export function listOptions(): readonly OptionEntry[] {
  return [...entriesOf(hostSchema, '', {})]
}

interface Wrapping {
  readonly default?: { readonly value: unknown }
  readonly isOptional?: boolean
}

function* entriesOf(schema: z.core.$ZodType, path: string, wrapping: Wrapping): Generator<OptionEntry> {
  const doc = leafDocs.get(schema)
  if (doc !== undefined) {
    const { format, ...told } = doc
    yield { ...told, path, defaultText: describeDefault(doc, format, wrapping) }
  } else if (schema instanceof z.ZodDefault) {
    yield* entriesOf(schema.def.innerType, path, { default: { value: schema.def.defaultValue } })
  } else if (schema instanceof z.ZodOptional) {
    yield* entriesOf(schema.def.innerType, path, { isOptional: true })
  } else if (schema instanceof z.ZodPrefault) {
    yield* entriesOf(schema.def.innerType, path, {})
  } else if (schema instanceof z.ZodNullable) {
    yield* entriesOf(schema.def.innerType, path, {})
  } else if (schema instanceof z.ZodObject) {
    for (const [key, inner] of Object.entries(schema.shape)) yield* entriesOf(inner, joinPath(path, key), {})
  } else if (schema instanceof z.ZodRecord) {
    yield* entriesOf(schema.def.valueType, joinPath(path, '<name>'), wrapping)
  } else if (schema instanceof z.ZodArray) {
    yield* entriesOf(schema.def.element, `${path}[]`, {})
  } else {
    throw new TypeError(`${path} is neither an option nor a group of options`)
  }
}

function describeDefault(doc: OptionDoc, format: (value: unknown) => string, wrapping: Wrapping): string {
  if (doc.absent !== undefined) return doc.absent
  if (wrapping.default !== undefined) return `\`${format(wrapping.default.value)}\``
  return wrapping.isOptional === true ? 'as on the host' : 'required'
}

function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
