import { describe, expect, it } from 'vitest'
import { compileSchedule } from '../../src/decide/recurrence/compile-schedule.ts'
import { type Rules, WalkedZone, walk } from './oracle.ts'

const DAY = 86_400_000
const FROM = Date.UTC(1999, 11, 1)
const TO = Date.UTC(2034, 0, 1)

const ZONES = [
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tehran',
  'Africa/Cairo',
  'Europe/Istanbul',
  'Asia/Pyongyang',
  'America/Caracas',
  'Europe/Dublin',
  'America/St_Johns',
  'UTC',
] as const

const FIXED = [
  '0 0 * * *',
  '30 2 * * *',
  '15 0 * * 0',
  '0 9 * * 1-5',
  '45 1 L * *',
  '30 23 31 12 *',
  '59 23 * 3-4 6',
] as const

function reckon(expression: string, zone: string, rules: Rules, fromMs: number, toMs: number, limit: number): number[] {
  const compiled = compileSchedule({ kind: 'cron', expression, seconds: false, ...rules }, zone)
  if ('problem' in compiled) throw new Error(`${expression}: ${compiled.problem.words}`)
  return compiled.upTo(fromMs, toMs, limit).firings.map(({ atMs }) => atMs)
}

/** The same draws on every machine. */
function draws(seed: number) {
  let state = seed
  const draw = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return { draw, pick: <T>(words: readonly T[]): T => words[draw(words.length)] as T }
}

/** An expression of every kind of field; minutes that are few, so that clocks matter. */
function randomExpression({ draw, pick }: ReturnType<typeof draws>): string {
  const range = (low: number, high: number) => {
    const from = low + draw(high - low)
    return `${from}-${from + draw(high - from + 1)}`
  }
  const field = (low: number, high: number) => {
    const one = () => String(low + draw(high - low + 1))
    return pick([
      () => '*',
      one,
      one,
      () => `${one()},${one()}`,
      () => range(low, high),
      () => `${range(low, high)}/${1 + draw(4)}`,
      () => `*/${2 + draw(5)}`,
    ])()
  }
  const days = pick([() => '*', () => '*', () => field(1, 28), () => 'L'])()
  const months = pick([() => '*', () => '*', () => '*', () => field(1, 12), () => 'MAR-APR,OCT,NOV'])()
  const weekdays = pick([
    () => '*',
    () => '*',
    () => field(0, 6),
    () => 'SUN',
    () => 'SAT,SUN',
    () => `MON#${1 + draw(4)}`,
  ])()
  return `${field(0, 59)} ${field(0, 23)} ${days} ${months} ${weekdays}`
}

describe.each(ZONES)('%s, held against a clock that is walked minute by minute', (name) => {
  const zone = new WalkedZone(name, FROM, TO)

  it.each(FIXED)('(E13) %s is due at the same instants over 33 years', (expression) => {
    const rules = { gap: 'after', repeated: 'first' } as const
    const range = { fromMs: Date.UTC(2000, 0, 1), toMs: Date.UTC(2033, 0, 1), limit: 100_000 }
    const expected = walk(zone, expression, rules, range)
    expect(reckon(expression, name, rules, range.fromMs, range.toMs, range.limit)).toEqual(expected)
  })

  it('10,000 random expressions are due at the same instants, mostly about where clocks change', () => {
    const random = draws(name.length * 7_919)
    const changes = zone.changes.slice(1).map(({ fromMs }) => fromMs)
    for (let round = 0; round < 10_000; round += 1) {
      const expression = randomExpression(random)
      const anywhere = Date.UTC(2000, 0, 1) + random.draw(33 * 365) * DAY
      const aboutMs = changes.length > 0 && random.draw(4) > 0 ? random.pick(changes) : anywhere
      const fromMs = aboutMs - random.draw(2 * DAY)
      const range = { fromMs, toMs: fromMs + 10 * DAY, limit: 12 }
      const rules = { gap: random.pick(['after', 'skip'] as const), repeated: random.pick(['first', 'both'] as const) }
      const expected = walk(zone, expression, rules, range)
      const found = reckon(expression, name, rules, fromMs, range.toMs, range.limit)
      if (found.join() !== expected.join())
        expect({ expression, rules, fromMs, found }).toEqual({ expression, rules, fromMs, found: expected })
    }
  }, 60_000)
})
