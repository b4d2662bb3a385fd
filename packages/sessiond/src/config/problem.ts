import { SessiondError } from '../model/errors.ts'

/** One thing wrong with the configuration. */
export interface Problem {
  /** The option's path, or the environment variable's name. */
  readonly where: string
  /** The value as found, safe to show; undefined where it may be a secret or there is none. */
  readonly value?: string
  readonly rule: string
  readonly cure: string
}

/** CONFIG_INVALID with every problem found, not only the first. */
export class ConfigInvalidError extends SessiondError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], source?: string) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
    const lines = problems.map((problem) => `  - ${describeProblem(problem)}`)
    super(
      'CONFIG_INVALID',
      `The configuration${source === undefined ? '' : ` ${source}`} has ${count}:\n${lines.join('\n')}\n`,
      {
        fields: { problems: problems.length, field: problems[0]?.where },
      },
    )
    this.problems = problems
  }
}

/** One line: where, what was found, the rule, the cure. */
export function describeProblem(problem: Problem): string {
  const found = problem.value === undefined ? '' : ` is ${problem.value}, but`
  return `${problem.where}${found} ${problem.rule}. ${problem.cure}`
}

const SHOWN_CHARS = 80

/** Writes a value found in a configuration so that it is short, on one line and tells its type. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') {
    const cut = value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}…` : value
    return JSON.stringify(cut)
  }
  return String(value)
}
