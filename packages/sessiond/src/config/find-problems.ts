import type { z } from 'zod'
import { listOptions } from './list-options.ts'
import { type Problem, showValue } from './problem.ts'
import { suggest } from './suggest.ts'

type Path = readonly PropertyKey[]

/** Values that may be secrets, or hold one: never shown. */
const HIDDEN = /(^|\.)(env|secret|url|command)(\.|$)/

/** Turns zod's issues into problems that name where, what, the rule and the cure. */
export function findProblems(issues: readonly z.core.$ZodIssue[], options: unknown): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key))
    const where = pathText(issue.path)
    const value = valueAt(options, issue.path)
    const cure = issue.code === 'custom' ? String(issue.params?.cure) : 'See docs/configuration.md for its form.'
    const rule = issue.code === 'custom' ? issue.message : ruleOfShape(issue)
    if (value === undefined) return [{ where, rule: `is missing: it ${rule}`, cure }]
    return [HIDDEN.test(where) ? { where, rule, cure } : { where, value: showValue(value), rule, cure }]
  })
}

/** The path as people write it: `groups.shell.mounts[0].source`; the root is called so. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the configuration'
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

/** What stands at `path`, undefined when there is nothing. */
export function valueAt(options: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    return (value as Record<PropertyKey, unknown>)[key]
  }, options)
}

function ruleOfShape(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `must be ${issue.expected === 'array' ? 'a list' : 'an object'}`
  return 'is not valid'
}

function unknownKey(path: Path, key: string): Problem {
  const at = templateOf(path)
  const prefix = at === '' ? '' : `${at}.`
  const entries = listOptions().map((entry) => entry.path)
  const siblings = new Set(
    entries
      .filter((entry) => entry.startsWith(prefix))
      .map((entry) => entry.slice(prefix.length).split(/[.[]/)[0] ?? ''),
  )
  const elsewhere = entries.find((entry) => entry.endsWith(`.${key}`))
  const likely = suggest(key, siblings)
  const meant = likely ?? elsewhere
  return {
    where: pathText([...path, key]),
    rule: 'is no option',
    cure: meant === undefined ? `Known here: ${[...siblings].join(', ')}.` : `Did you mean ${meant}?`,
  }
}

/** Below these, people choose the names. */
const CHOSEN: readonly PropertyKey[] = ['groups', 'sinks', 'tools', 'artifacts']

/** The option path that a place in a configuration stands for: chosen names become `<name>`. */
function templateOf(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return '[]'
      const isChosen = index > 0 && CHOSEN.includes(path[index - 1] ?? '')
      return `${index === 0 ? '' : '.'}${isChosen ? '<name>' : String(key)}`
    })
    .join('')
}
