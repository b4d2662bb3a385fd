import { isRealLocal, type LocalTime } from './local-time.ts'
import { problem, type WhenProblem } from './when.ts'

const NUMERIC_DATE = /(?<![\d:])(\d{1,4})([/.-])(\d{1,2})(?:\2(\d{1,4}))?(?![\d:])/
const ISO_DATE = /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/

/**
 * Refuses a date in numbers other than `2030-01-31`: people differ in which is the day and which the month, and the library
 * would choose for them. Undefined when there is none.
 */
export function refuseNumericDate(text: string): WhenProblem | undefined {
  const match = NUMERIC_DATE.exec(text.replace(ISO_DATE, ''))
  if (match === null) return undefined
  const [whole, a, separator, b, c] = match
  // `9.30` and `1.5` are no dates; what they are is for others to say.
  if (c === undefined && separator === '.') return undefined
  const readings = [
    [a, b, c],
    [c, b, a],
    [c, a, b],
  ].filter(
    ([year, month, day]) => year?.length === 4 && isRealLocal(midnight(Number(year), Number(month), Number(day))),
  )
  const dates = [...new Set(readings.map(([y, m, d]) => `${y}-${m?.padStart(2, '0')}-${d?.padStart(2, '0')}`))]
  const cure = `Write ${dates.length === 0 ? 'the date as 2030-01-31' : dates.join(' or ')}.`
  if (dates.length === 1) return problem('TIME_INVALID', `${whole} is not how a date is written here.`, cure)
  return problem('TIME_AMBIGUOUS', `${whole} does not say which number is the day and which the month.`, cure)
}

function midnight(year: number, month: number, day: number): LocalTime {
  return { year, month, day, hour: 0, minute: 0, second: 0 }
}
