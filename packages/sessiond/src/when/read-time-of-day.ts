import { problem, type WhenProblem } from './when.ts'

export interface TimeOfDay {
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** The text without it: what says the day. */
  readonly rest: string
}

/** `9:00`, `17:30:15`, `8am`, `8:15 p.m.`; nothing that could belong to it may stand beside it. */
const TIME = /(?<![\d:.,+-])(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?(?:\s*([ap])\.?m\b\.?)?(?![\d:.]|\s*[ap]\.?m\b)/gi

/**
 * Reads the one time of day in a text. It must be written out: `9:00` is the morning (a clock of 24 hours), `9 am` and
 * `9 pm` say so, a bare `9` could be either. `12 am` and `12 pm` are refused: people read them both ways.
 */
export function readTimeOfDay(text: string): TimeOfDay | WhenProblem {
  const noon = /\bnoon\b/i
  if (noon.test(text) && !/\d:|\d\s*[ap]\.?m\b/i.test(text)) {
    return { hour: 12, minute: 0, second: 0, rest: text.replace(noon, ' ') }
  }
  const found = [...text.matchAll(TIME)].filter(([, , minute, , half]) => minute !== undefined || half !== undefined)
  const [match, other] = found
  if (match === undefined) return missing(text)
  if (other !== undefined) {
    return problem('TIME_AMBIGUOUS', `It names two times of day: ${match[0]} and ${other[0]}.`, 'Name one.')
  }
  const [whole, hourText, minuteText = '00', secondText = '00', half] = match
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText)]
  if (half !== undefined && hour === 12) {
    const cure = 'Write 00:00 for the start of the day, or 12:00 for noon.'
    return problem('TIME_AMBIGUOUS', `${whole} is read both as noon and as midnight.`, cure)
  }
  const isReal = minute < 60 && second < 60 && (half === undefined ? hour < 24 : hour >= 1 && hour < 12)
  if (!isReal) return problem('TIME_INVALID', `No clock shows ${whole}.`, 'Write a time from 00:00 to 23:59.')
  const rest = `${text.slice(0, match.index)} ${text.slice(match.index + whole.length)}`
  return { hour: half?.toLowerCase() === 'p' ? hour + 12 : hour, minute, second, rest }
}

function missing(text: string): WhenProblem {
  if (/\bmidnight\b/i.test(text)) {
    const cure = 'Write 00:00, with the day that begins then.'
    return problem('TIME_AMBIGUOUS', 'Midnight is the beginning of a day, or its end.', cure)
  }
  const bare = /(?:^|\bat\s+)(\d{1,2})$/i.exec(text)?.[1]
  if (bare !== undefined && Number(bare) < 24) {
    const hour = Number(bare)
    if (hour >= 1 && hour <= 12) {
      const cure = `Write ${hour % 12}:00 or ${(hour % 12) + 12}:00.`
      return problem('TIME_AMBIGUOUS', `${bare} is an hour of the morning or of the evening.`, cure)
    }
    return problem('TIME_AMBIGUOUS', `${bare} is an hour or a day of the month.`, `Write ${hour}:00.`)
  }
  const cure = 'Add it, such as 9:00 or 17:30 or 8am.'
  return problem('TIME_INCOMPLETE', 'It names no time of day.', cure)
}
