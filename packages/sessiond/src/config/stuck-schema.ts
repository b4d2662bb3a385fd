import { z } from 'zod'
import { duration, oneOf, toMs } from './leaf.ts'

const stuck = {
  policy: oneOf({
    about:
      'How stuck runs are told. `default` keeps beat, progress, tools, model waits and activity apart; `classic` judges by the heartbeat alone, and so does `default` a run that reports nothing else.',
    words: ['default', 'classic'],
  }),
  start: duration({
    about: 'How long a run may take from its start to its first beat.',
    min: '1s',
    max: '7d',
    tooLow: 'Runs that come up slowly are called failed starts, again and again.',
    tooHigh: 'A run that never came up holds its slot that long.',
  }),
  frozen: duration({
    about:
      'A run whose beat (a timer in the runner, every 5 s) has not been seen for this long is stopped, with or without work.',
    min: '15s',
    max: '7d',
    tooLow: 'Runs on a busy machine are killed at work.',
    tooHigh: 'A run that hangs in a loop, or was frozen, blocks its session that long.',
  }),
  toolGrace: duration({
    about: 'A tool that is this much past the time it declared, with nothing moving since, ends its run.',
    min: '1s',
    max: '1d',
    tooLow: 'Tools that end just at their time are killed while they clean up.',
    tooHigh: 'A tool that broke its own promise hangs that much longer.',
  }),
  maxToolTimeout: duration({
    about: "A tool's declared time-out counts up to this.",
    min: '1s',
    max: '30d',
    tooLow: 'Long tools are killed although they said how long they take.',
    tooHigh: 'A run that declares too much is left alone that long.',
  }),
  toolSilent: duration({
    about:
      'A tool that declared nothing, reports nothing and neither computes nor transfers ends its run after this long.',
    min: '10s',
    max: '7d',
    tooLow: 'Tools that wait for something else are killed.',
    tooHigh: 'A hung tool goes unnoticed that long.',
  }),
  toolBlind: duration({
    about: 'The same where activity cannot be seen (macOS, a container engine elsewhere).',
    min: '1s',
    max: '7d',
    tooLow: 'Silent builds are killed.',
    tooHigh: 'A hung tool goes unnoticed that long.',
  }),
  busyCeiling: duration({
    about: 'No progress for this long ends a run at work, however much it computes.',
    min: '1s',
    max: '30d',
    tooLow: 'Long builds that say nothing are killed.',
    tooHigh: 'A tool in an endless loop burns a core that long.',
  }),
  modelSilent: duration({
    about: 'A model that was asked, and of which nothing is heard for this long, not even a keep-alive, ends its run.',
    min: '1s',
    max: '7d',
    tooLow: 'Models that queue are given up, and paid for again.',
    tooHigh: 'A request that got lost goes unnoticed that long.',
  }),
  modelPinging: duration({
    about: 'The same while keep-alives come: it thinks, or so its server says.',
    min: '1s',
    max: '7d',
    tooLow: 'Long thoughts are given up, and paid for again.',
    tooHigh: 'A server that only keeps the connection alive is believed that long.',
  }),
  maxWait: duration({
    about: 'A provider\'s own "not now" (a rate limit) makes silence legitimate up to this far ahead.',
    min: '1s',
    max: '30d',
    tooLow: 'Runs that wait out a limit are killed.',
    tooHigh: 'A run that claims a limit is left alone that long.',
  }),
  silent: duration({
    about: 'A claim with no tool, no model wait, no progress and no activity for this long ends its run.',
    min: '10s',
    max: '7d',
    tooLow: 'Agents that pause between two steps are killed.',
    tooHigh: 'An agent that hangs between two steps goes unnoticed that long.',
  }),
  deaf: duration({
    about: 'A run that beats, but takes none of its due messages for this long, is restarted; no try is spent.',
    min: '1s',
    max: '7d',
    tooLow: 'Runs that come up slowly are restarted again and again.',
    tooHigh: 'Messages wait that long for a runner that has lost its mailbox.',
  }),
  claimSilent: duration({
    about: '`classic`: a claim with no heartbeat since it was made ends its run after this long.',
    min: '1s',
    max: '7d',
    tooLow: 'Runs that start slowly are killed at work.',
    tooHigh: 'A run that died inside stays unnoticed that long.',
  }),
  ceiling: duration({
    about: '`classic`: no heartbeat at all for this long ends a run.',
    min: '1s',
    max: '30d',
    tooLow: 'Runs on a busy machine are killed at work.',
    tooHigh: 'A frozen run blocks its session that long.',
  }),
}

const tool = {
  silent: duration({
    about:
      'In place of `toolSilent` for tools of this name; `*` in the name stands for any text, the first name that fits wins.',
    min: '1s',
    max: '7d',
    tooLow: 'As `toolSilent`.',
    tooHigh: 'As `toolSilent`.',
  }),
  busyCeiling: duration({
    about: 'In place of `busyCeiling` for tools of this name.',
    min: '1s',
    max: '30d',
    tooLow: 'As `busyCeiling`.',
    tooHigh: 'As `busyCeiling`.',
  }),
}

const tools = z.record(
  z.string(),
  z.strictObject({ silent: tool.silent.optional(), busyCeiling: tool.busyCeiling.optional() }),
)

/** `stuck` of the host: complete. */
export const hostStuckSchema = z
  .strictObject({
    policy: stuck.policy.default('default'),
    start: stuck.start.default(toMs('5m')),
    frozen: stuck.frozen.default(toMs('45s')),
    toolGrace: stuck.toolGrace.default(toMs('20s')),
    maxToolTimeout: stuck.maxToolTimeout.default(toMs('12h')),
    toolSilent: stuck.toolSilent.default(toMs('4m30s')),
    toolBlind: stuck.toolBlind.default(toMs('30m')),
    busyCeiling: stuck.busyCeiling.default(toMs('6h')),
    modelSilent: stuck.modelSilent.default(toMs('9m30s')),
    modelPinging: stuck.modelPinging.default(toMs('30m')),
    maxWait: stuck.maxWait.default(toMs('12h')),
    silent: stuck.silent.default(toMs('90s')),
    deaf: stuck.deaf.default(toMs('2m')),
    claimSilent: stuck.claimSilent.default(toMs('60s')),
    ceiling: stuck.ceiling.default(toMs('30m')),
    tools: tools.default({}),
  })
  .prefault({})

/** `stuck` of a group: what is left out comes from the host; its tools go before the host's. */
export const groupStuckSchema = z
  .strictObject({
    policy: stuck.policy.optional(),
    start: stuck.start.optional(),
    frozen: stuck.frozen.optional(),
    toolGrace: stuck.toolGrace.optional(),
    maxToolTimeout: stuck.maxToolTimeout.optional(),
    toolSilent: stuck.toolSilent.optional(),
    toolBlind: stuck.toolBlind.optional(),
    busyCeiling: stuck.busyCeiling.optional(),
    modelSilent: stuck.modelSilent.optional(),
    modelPinging: stuck.modelPinging.optional(),
    maxWait: stuck.maxWait.optional(),
    silent: stuck.silent.optional(),
    deaf: stuck.deaf.optional(),
    claimSilent: stuck.claimSilent.optional(),
    ceiling: stuck.ceiling.optional(),
    tools: tools.default({}),
  })
  .prefault({})
