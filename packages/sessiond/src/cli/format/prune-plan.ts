import type { PrunePlan, RemovalReason, StayReason } from '../../model/artifact.ts'
import { escapeLine } from '../../model/escape.ts'
import {
  type ClassSum,
  figuresOf,
  type OwnerSum,
  type PlanSummary,
  type ReasonSum,
  summarisePlan,
} from '../../prune/summarise-plan.ts'
import { formatBytes } from './bytes.ts'
import { formatTable } from './table.ts'
import { formatSpan } from './time.ts'

/** Sessions that a person is shown one by one; `--json` has more. */
const SHOWN_SESSIONS = 40
const SHOWN_REASONS = 3
const NAME_CHARS = 80

/** What a plan removes, by class with the reasons and by session, with the totals. */
export function formatPrunePlan(plan: PrunePlan): string {
  return formatPlanSummary(summarisePlan(plan))
}

/** The same of a plan that has been summed up already. */
export function formatPlanSummary(summary: PlanSummary): string {
  const { removed, isPartial } = summary
  if (summary.classes.length === 0) return 'No class of files was looked at.\n'
  const entries = removed.entries === 1 ? 'one entry' : `${removed.entries} entries`
  const partial = isPartial ? 'This is not all: there is more than one plan holds; the next goes on.\n' : ''
  const goes = removed.entries === 0 ? 'No file would go.\n' : `${entries}, ${formatBytes(removed.bytes)}\n`
  return [formatClasses(summary.classes), formatSessions(summary), `${goes}${partial}`]
    .filter((part) => part !== '')
    .join('\n')
}

function formatClasses(classes: readonly ClassSum[]): string {
  const head = ['CLASS', 'ENTRIES', 'BYTES', 'OF', 'WHY', 'STAYS']
  const rows = classes.map(({ name, seen, removed, reasons, stays }) => [
    escapeLine(name, NAME_CHARS),
    String(removed.entries),
    formatBytes(removed.bytes),
    `${seen.entries}, ${formatBytes(seen.bytes)}`,
    describeReasons(reasons),
    describeStays(stays) || '-',
  ])
  return formatTable(head, rows)
}

function formatSessions({ sessions, otherSessions }: PlanSummary): string {
  const head = ['SESSION', 'ENTRIES', 'BYTES']
  const shown = sessions.slice(0, SHOWN_SESSIONS)
  const rows = shown.map((owner) => [describeOwner(owner), String(owner.entries), formatBytes(owner.bytes)])
  const rest = sessions.slice(SHOWN_SESSIONS)
  const count = rest.length + otherSessions.sessions
  const bytes = rest.reduce((sum, owner) => sum + owner.bytes, otherSessions.bytes)
  const more = count === 0 ? '' : `and ${count} more, ${formatBytes(bytes)}\n`
  return `${formatTable(head, rows)}${more}`
}

/** Names of a foreign tree are the words of whoever made them. */
function describeOwner({ group, session }: OwnerSum): string {
  if (group === null && session === null) return '(no session)'
  const parts = [group, session].filter((part) => part !== null)
  return escapeLine(parts.join('/'), NAME_CHARS)
}

function describeReasons(reasons: readonly ReasonSum[]): string {
  if (reasons.length === 0) return '-'
  const shown = reasons.slice(0, SHOWN_REASONS).map(({ bound, limit, most, entries }) => {
    return `${describeBound(bound, limit, most)}${reasons.length === 1 ? '' : `: ${entries}`}`
  })
  return reasons.length > SHOWN_REASONS ? `${shown.join('; ')}; …` : shown.join('; ')
}

/** One removal's reason in words, with the numbers it was decided on. */
export function describeReason(reason: RemovalReason): string {
  const { limit, seen } = figuresOf(reason)
  return describeBound(reason.bound, limit, seen)
}

function describeBound(bound: RemovalReason['bound'], limit: number, most: number): string {
  switch (bound) {
    case 'age':
      return `older than ${formatSpan(limit)} (${formatSpan(most)})`
    case 'count':
      return `more than ${limit} (${most})`
    case 'bytes':
      return `over ${formatBytes(limit)} (${formatBytes(most)})`
    case 'highWater':
      return `disk ${percent(most)} full, at most ${percent(limit)} wanted`
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

const STAY_WORDS: Readonly<Record<StayReason, string>> = {
  active: 'in use',
  'no-record': 'of no session on record (see sessiond doctor)',
  'kept-name': 'kept by name',
  'not-a-file': 'no plain file',
  future: 'dated in the future',
  unreadable: 'unreadable',
  elsewhere: 'on another file system',
  'not-permitted': 'not to be removed by this user',
  changed: 'changed since',
  vanished: 'gone already',
}

/** What stays although it is due, and why; "" for nothing. */
export function describeStays(stays: Readonly<Partial<Record<StayReason, number>>>): string {
  return Object.entries(stays)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${STAY_WORDS[reason as StayReason] ?? reason}`)
    .join(', ')
}
