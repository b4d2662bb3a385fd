import { z } from 'zod'
import { count, duration, oneOf, toMs } from './leaf.ts'

const retry = {
  maxTries: count({
    about: 'Tries of a message before it ends as a dead letter.',
    unit: 'tries',
    min: 1,
    max: 100,
    tooLow: 'One bad minute makes dead letters.',
    tooHigh: 'A message that breaks its agent is paid for again and again.',
  }),
  base: duration({
    about: 'The wait after the n-th spent try is this x 2^n.',
    min: '0ms',
    max: '1d',
    tooLow: 'Tries are spent before a short outage is over.',
    tooHigh: 'A passing error costs minutes.',
  }),
  max: duration({
    about: 'Longest wait between two tries.',
    min: '0ms',
    max: '30d',
    tooLow: 'Late tries come as fast as early ones.',
    tooHigh: 'The last tries come days later.',
  }),
  jitter: oneOf({
    about: '`full` draws each wait between zero and its length, so that many failures do not return at once.',
    words: ['none', 'full'],
  }),
  maxDefer: duration({
    about: "An agent's own `retry_at` (a rate limit) is honoured up to this far ahead; it spends no try.",
    min: '0ms',
    max: '365d',
    tooLow: 'Tries are spent against a limit that has not ended.',
    tooHigh: 'An agent that asks for too much parks its message that long.',
  }),
}

/** `retry` of the host: complete. */
export const hostRetrySchema = z
  .strictObject({
    maxTries: retry.maxTries.default(5),
    base: retry.base.default(toMs('5s')),
    max: retry.max.default(toMs('1h')),
    jitter: retry.jitter.default('none'),
    maxDefer: retry.maxDefer.default(toMs('1d')),
  })
  .prefault({})

/** `retry` of a group: what is left out comes from the host. */
export const groupRetrySchema = z
  .strictObject({
    maxTries: retry.maxTries.optional(),
    base: retry.base.optional(),
    max: retry.max.optional(),
    jitter: retry.jitter.optional(),
    maxDefer: retry.maxDefer.optional(),
  })
  .prefault({})
