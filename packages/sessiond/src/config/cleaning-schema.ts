import { z } from 'zod'
import { count, duration, flag, leaf, orNull, toMs } from './leaf.ts'

/** `cleaning`: when and how hard the host cleans. */
export const cleaningSchema = z
  .strictObject({
    every: orNull(
      duration({
        about: 'Time between two cleanings; `null`: only when asked (`sessiond prune`).',
        min: '1m',
        max: '30d',
        tooLow: 'The disk is busy with looking.',
        tooHigh: 'Much piles up in between.',
      }),
    ).default(toMs('1d')),
    budget: duration({
      about:
        'One cleaning works at most this long, besides planning, but finishes what it archives; the next goes on where it ended. At most `cleaning.every`.',
      min: '1s',
      max: '1h',
      tooLow: 'Cleaning never catches up.',
      tooHigh: 'The disk is busy that long.',
    }).default(toMs('5m')),
    batch: count({
      about: 'Files removed between two looks at what active sessions reference, and at whether runs need the disk.',
      unit: 'files',
      min: 1,
      max: 10_000,
      tooLow: 'Cleaning is slow.',
      tooHigh: 'What has become active meanwhile is noticed late.',
    }).default(500),
    highWater: orNull(
      leaf<number>(
        {
          about:
            'Used share of the disk from which a cleaning comes at once, biggest and oldest first; near `limits.diskFloor` it takes more than the bounds say; `null`: never.',
          unit: 'share from 0 to 1',
          tooLow: 'The disk is looked through although there is room.',
          tooHigh: 'The disk is full before the cleaning has begun.',
        },
        (value) =>
          typeof value === 'number' && value >= 0.5 && value <= 0.99
            ? { value }
            : { rule: 'must be a number from 0.5 to 0.99', cure: 'Write 0.9 for nine tenths, without quotes.' },
      ),
    ).default(0.9),
    trash: duration({
      about: 'What was put aside instead of removed (`sessiond prune --trash`, `cleaning.useTrash`) is kept this long.',
      min: '1h',
      max: '365d',
      tooLow: 'A mistake is noticed too late.',
      tooHigh: 'What was put aside fills the disk.',
    }).default(toMs('7d')),
    useTrash: flag({
      about: "The host's own cleanings put aside instead of removing; no room is won before `cleaning.trash` is over.",
    }).default(false),
  })
  .prefault({})
