import { WAIT_REASONS } from '@sessiond/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { decideLiveness, longestSilenceMs } from '../decide/decide-liveness.ts'
import { type ClockMove, RunClocks } from './run-clocks.ts'

const RUNS = { numRuns: 500 }
const RUNNING = { seen: 'running', tries: 0, unheededForMs: null, idleForMs: null } as const
const HOUR_MS = 3_600_000

/** Spans of every size that could matter, a day and more included. */
const span = fc.oneof(fc.nat(1_000), fc.nat(60_000), fc.nat(HOUR_MS), fc.nat(30 * HOUR_MS))
const figure = fc.option(span, { nil: null })

const tool = fc.record({
  id: fc.nat(5),
  name: fc.constantFrom('Bash', 'WebFetch', 'mcp__a__b'),
  timeoutMs: figure,
  expectedMs: fc.option(fc.nat(HOUR_MS), { nil: null }),
  isBackground: fc.boolean(),
  renewals: fc.nat(3),
})

const sample = fc.record({
  cpuMs: fc.nat(5_000),
  ioBytes: fc.nat(1_000_000),
  processes: fc.nat(9),
  overMs: fc.constant(5_000),
})

const move: fc.Arbitrary<ClockMove> = fc.oneof(
  fc.constantFrom<ClockMove>({ clock: 'beat' }, { clock: 'progress' }, { clock: 'ping' }, { clock: 'wait-end' }),
  fc.constant<ClockMove>({ clock: 'claim', messageId: 'm' }),
  tool.map((opened): ClockMove => ({ clock: 'tool', tool: opened })),
  fc.nat(5).map((id): ClockMove => ({ clock: 'tool-end', id })),
  fc
    .record({ reason: fc.constantFrom(...WAIT_REASONS), forMs: figure })
    .map((wait): ClockMove => ({ clock: 'wait', wait })),
  sample.map((used): ClockMove => ({ clock: 'activity', sample: used })),
)

/** A host that was away, or a clock move. */
const happening = fc.oneof(
  { weight: 9, arbitrary: move.map((moved) => ({ move: moved })) },
  { weight: 1, arbitrary: fc.record({ stalledMs: span, isLong: fc.boolean() }) },
)

/** Long stories of few things that happen again and again: of many, something would always be open that excuses the rest. */
const story = fc
  .tuple(fc.array(happening, { maxLength: 3 }), fc.array(happening, { minLength: 1, maxLength: 3 }))
  .chain(([first, few]) =>
    fc
      .array(fc.tuple(fc.nat(19_000), fc.constantFrom(...few)), { minLength: 1, maxLength: 400, size: 'max' })
      .map((again) => [...first.map((what) => [0, what] as const), ...again]),
  )

function happen(
  clocks: RunClocks,
  what: { move: ClockMove } | { stalledMs: number; isLong: boolean },
  nowMs: number,
): number {
  if ('move' in what) {
    clocks.note(what.move, nowMs)
    return nowMs
  }
  clocks.skip(what.stalledMs, nowMs + what.stalledMs)
  if (what.isLong) clocks.restart(nowMs + what.stalledMs)
  return nowMs + what.stalledMs
}

describe('the judgement', () => {
  it('never ends a run that beats and takes steps, whatever it has open and whenever the host sleeps', () => {
    fc.assert(
      fc.property(fc.nat(), story, (startMs, happenings) => {
        let nowMs = startMs
        const clocks = new RunClocks(nowMs)
        clocks.note({ clock: 'claim', messageId: 'm' }, nowMs)
        for (const [gapMs, what] of happenings) {
          clocks.note({ clock: 'beat' }, nowMs)
          clocks.note({ clock: 'progress' }, nowMs)
          nowMs = happen(clocks, what, nowMs + gapMs)
          expect(decideLiveness(clocks.observe(nowMs, RUNNING), DEFAULT_STUCK).verdict).toBe('leave')
        }
      }),
      RUNS,
    )
  })

  it('ends every run at work whose clocks all stand still, though it beats, within what the policy states', () => {
    fc.assert(
      fc.property(story, (happenings) => {
        let nowMs = 0
        const clocks = new RunClocks(nowMs)
        for (const [gapMs, what] of happenings) nowMs = happen(clocks, what, nowMs + gapMs)
        clocks.note({ clock: 'claim', messageId: 'm' }, nowMs)
        const limitMs = longestSilenceMs(DEFAULT_STUCK)
        clocks.note({ clock: 'beat' }, nowMs + limitMs)
        expect(decideLiveness(clocks.observe(nowMs + limitMs, RUNNING), DEFAULT_STUCK).verdict).toBe('stop')
      }),
      RUNS,
    )
  })

  it('ends every run that does not beat within its frozen window, whatever else moves', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5_000), move), { maxLength: 80, size: 'max' }), (story) => {
        let nowMs = 0
        const clocks = new RunClocks(nowMs)
        clocks.note({ clock: 'beat' }, nowMs)
        const others = story.filter(([, moved]) => moved.clock !== 'beat')
        for (const [gapMs, moved] of others) {
          nowMs += gapMs
          clocks.note(moved, nowMs)
        }
        const atMs = Math.max(nowMs, DEFAULT_STUCK.frozenMs + 1)
        expect(decideLiveness(clocks.observe(atMs, RUNNING), DEFAULT_STUCK)).toMatchObject({ verdict: 'stop' })
      }),
      RUNS,
    )
  })

  it('says when it has to be asked again: not before that does its word change by itself', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60_000), move), { maxLength: 80, size: 'max' }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (story, part) => {
          let nowMs = 0
          const clocks = new RunClocks(nowMs)
          for (const [gapMs, moved] of story) {
            nowMs += gapMs
            clocks.note(moved, nowMs)
          }
          const now = decideLiveness(clocks.observe(nowMs, RUNNING), DEFAULT_STUCK)
          if (now.verdict === 'stop' || now.recheckInMs === null) return
          const sooner = nowMs + Math.floor((now.recheckInMs - 1) * part)
          expect(decideLiveness(clocks.observe(sooner, RUNNING), DEFAULT_STUCK).verdict).toBe('leave')
        },
      ),
      RUNS,
    )
  })

  it('does not depend on when its own clock began, nor on the order of what came at once', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 40),
        fc.uniqueArray(move, { maxLength: 6, selector: ({ clock }) => clockOf(clock) }),
        fc.nat(20 * HOUR_MS),
        (offsetMs, moves, laterMs) => {
          const decide = (startMs: number, order: readonly ClockMove[]) => {
            const clocks = new RunClocks(startMs)
            for (const each of order) clocks.note(each, startMs + 7)
            return decideLiveness(clocks.observe(startMs + 7 + laterMs, RUNNING), DEFAULT_STUCK)
          }
          expect(decide(offsetMs, moves)).toEqual(decide(0, moves))
          expect(decide(0, moves.toReversed())).toEqual(decide(0, moves))
        },
      ),
      RUNS,
    )
  })
})

/** Moves of one clock have an order; those of different clocks have none. */
function clockOf(clock: ClockMove['clock']): string {
  if (clock === 'wait' || clock === 'wait-end' || clock === 'ping') return 'wait'
  return clock === 'tool-end' ? 'tool' : clock
}
