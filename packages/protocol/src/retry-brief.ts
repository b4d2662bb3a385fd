/** What an agent is told of its earlier tries at a message, so that it does not repeat what it did. */
export interface RetryBrief {
  /** How often the message has been handed out, this time included. */
  readonly attempt: number
  /** Tries spent on it, and how many there are in all. */
  readonly tries: number
  readonly maxTries: number
  /** How the last one ended, in words; which tool was in flight, if one was. */
  readonly lastEnd: string | null
  /** What was said on the way in it, oldest first, at most three texts: they have reached whoever asked. */
  readonly said: readonly string[]
}

const MAX_TEXTS = 3
const MAX_CHARS = 1_000

/** The column's text. */
export function formatRetryBrief(brief: RetryBrief): string {
  const said = brief.said.slice(-MAX_TEXTS).map((text) => text.slice(0, MAX_CHARS))
  return JSON.stringify({ ...brief, lastEnd: brief.lastEnd?.slice(0, MAX_CHARS) ?? null, said })
}

/** Reads the column; null for none, and for anything that is no brief. */
export function parseRetryBrief(text: unknown): RetryBrief | null {
  if (typeof text !== 'string') return null
  try {
    const { attempt, tries, maxTries, lastEnd, said } = JSON.parse(text) as Partial<RetryBrief>
    if (typeof attempt !== 'number' || typeof tries !== 'number' || typeof maxTries !== 'number') return null
    const texts = Array.isArray(said) ? said.filter((each): each is string => typeof each === 'string') : []
    return { attempt, tries, maxTries, lastEnd: typeof lastEnd === 'string' ? lastEnd : null, said: texts }
  } catch {
    return null
  }
}

/** The same as sentences, for an agent to read. */
export function tellRetryBrief({ attempt, tries, maxTries, lastEnd, said }: RetryBrief): string {
  const how = lastEnd === null ? '' : ` The last one ended so: ${lastEnd}.`
  const sofar =
    said.length === 0
      ? ' Nothing was said to whoever asked.'
      : ` What you said then has reached whoever asked; do not say it again:\n${said.join('\n')}`
  return `You have worked on this message before: this is attempt ${attempt}, and ${tries} of ${maxTries} tries are spent.${how}${sofar}`
}
