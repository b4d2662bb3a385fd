import { Cron } from 'croner'

export const MAX_CRON_CHARS = 256

/** Why an expression is refused: in plain words, with the cure. */
export interface CronProblem {
  readonly words: string
}

/** An expression evaluated on local times written as if they were UTC: no rule of any zone touches it. */
export interface WallCron {
  /** The first local time after `wallMs`, to the second; null: none within reach. */
  next(wallMs: number): number | null
}

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

/**
 * Reads a cron expression of exactly five fields (six with `seconds`, first), or a nickname. Day of month and day of week
 * both given: either is enough, as cron has it. Refused when it can never be due.
 */
export function parseCron(expression: string, seconds: boolean): WallCron | CronProblem {
  if (expression.length > MAX_CRON_CHARS) {
    return { words: `A cron expression has at most ${MAX_CRON_CHARS} characters, this one ${expression.length}.` }
  }
  const text = expression.trim()
  if (text.startsWith('@')) return parseNickname(text, seconds)
  const problem = findFieldProblem(text, seconds)
  return problem ?? evaluate(text, seconds)
}

function parseNickname(text: string, seconds: boolean): WallCron | CronProblem {
  const fields = NICKNAMES.get(text.toLowerCase())
  if (fields !== undefined) return evaluate(seconds ? `0 ${fields}` : fields, seconds)
  return { words: `'${text}' is none of ${[...NICKNAMES.keys()].join(', ')}.` }
}

/** E11, I7: fewer or more fields mean something else than was meant, mostly "every minute". */
function findFieldProblem(text: string, seconds: boolean): CronProblem | null {
  const count = text === '' ? 0 : text.split(/\s+/).length
  const wanted = seconds ? 6 : 5
  if (count === wanted) return null
  const fields = seconds ? 'second minute hour day month weekday' : 'minute hour day month weekday'
  const hint = !seconds && count === 6 ? ' Seconds are a sixth field, first; they have to be switched on.' : ''
  return { words: `A cron expression has exactly ${wanted} fields (${fields}); '${text}' has ${count}.${hint}` }
}

/** Far enough for a 29 February on a given weekday over the turn of a century: 40 years. */
const REACH_YEARS = 41

function evaluate(text: string, seconds: boolean): WallCron | CronProblem {
  let cron: Cron
  try {
    cron = new Cron(seconds ? text : `0 ${text}`, { mode: '6-part', utcOffset: 0, paused: true })
  } catch (error) {
    return { words: `'${text}' is no cron expression: ${error instanceof Error ? error.message : String(error)}` }
  }
  const wallCron = { next: (wallMs: number) => nextOf(cron, wallMs) }
  // From a leap year, so that what can be due at all is found.
  if (nextOf(cron, LEAP_YEAR_MS) !== null) return wallCron
  return { words: `'${text}' is never due: no such day is in any month it names.` }
}

const LEAP_YEAR_MS = Date.UTC(2000, 0, 1)

function nextOf(cron: Cron, wallMs: number): number | null {
  const next = cron.nextRun(new Date(wallMs))
  if (next === null) return null
  const reachMs = wallMs + REACH_YEARS * 366 * 86_400_000
  return next.getTime() > reachMs ? null : next.getTime()
}
