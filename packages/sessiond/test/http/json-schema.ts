/** JSON Schema as an OpenAPI 3.1 document holds it. */
export type JsonSchema = Readonly<Record<string, unknown>>

const KNOWN = [
  '$ref',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'maxLength',
  'pattern',
  'description',
  'discriminator',
  'propertyNames',
  'format',
]

/**
 * Says what is wrong with `value`, [] when nothing. Stricter than the standard on purpose: a property the schema
 * does not name is wrong, and a keyword nobody taught this validator throws, so that none is passed over.
 */
export function validate(value: unknown, schema: JsonSchema, root: JsonSchema, at = '$'): string[] {
  for (const key of Object.keys(schema)) {
    if (!KNOWN.includes(key)) throw new Error(`the validator does not know the keyword ${key} (${at})`)
  }
  if (typeof schema.$ref === 'string') return validate(value, resolve(schema.$ref, root), root, at)
  return [
    ...checkType(value, schema, at),
    ...checkChoice(value, schema, root, at),
    ...checkObject(value, schema, root, at),
    ...checkArray(value, schema, root, at),
  ]
}

function resolve(ref: string, root: JsonSchema): JsonSchema {
  let found: unknown = root
  for (const part of ref.replace(/^#\//, '').split('/')) found = (found as Record<string, unknown>)[part]
  if (found === undefined) throw new Error(`nothing stands at ${ref}`)
  return found as JsonSchema
}

function checkType(value: unknown, { type }: JsonSchema, at: string): string[] {
  if (type === undefined) return []
  const types = [type].flat()
  const ok =
    types.includes(value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value) ||
    (types.includes('integer') && Number.isInteger(value))
  return ok ? [] : [`${at}: ${JSON.stringify(value)} is not ${types.join(' or ')}`]
}

function checkChoice(value: unknown, schema: JsonSchema, root: JsonSchema, at: string): string[] {
  const { anyOf, oneOf, allOf } = schema
  const problems: string[] = []
  const fits = (options: unknown) =>
    (options as JsonSchema[]).filter((option) => validate(value, option, root, at).length === 0).length
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) problems.push(`${at}: not one of ${schema.enum}`)
  if ('const' in schema && schema.const !== value) problems.push(`${at}: not ${schema.const}`)
  if (anyOf !== undefined && fits(anyOf) === 0) problems.push(`${at}: fits none of anyOf`)
  if (oneOf !== undefined && fits(oneOf) !== 1) problems.push(`${at}: fits ${fits(oneOf)} of oneOf`)
  if (allOf !== undefined && fits(allOf) !== (allOf as unknown[]).length) problems.push(`${at}: misses one of allOf`)
  return problems
}

function checkObject(value: unknown, schema: JsonSchema, root: JsonSchema, at: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  if (schema.properties === undefined && schema.additionalProperties === undefined) return []
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const missing = ((schema.required ?? []) as string[]).filter((key) => !(key in value))
  return [
    ...missing.map((key) => `${at}.${key}: missing`),
    ...Object.entries(value).flatMap(([key, part]) => {
      const known = properties[key] ?? (schema.additionalProperties || undefined)
      return known === undefined
        ? [`${at}.${key}: not in the document`]
        : validate(part, known as JsonSchema, root, `${at}.${key}`)
    }),
  ]
}

function checkArray(value: unknown, { items }: JsonSchema, root: JsonSchema, at: string): string[] {
  if (!Array.isArray(value) || items === undefined) return []
  return value.flatMap((part, index) => validate(part, items as JsonSchema, root, `${at}[${index}]`))
}
