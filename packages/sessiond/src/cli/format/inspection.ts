import { tellStep } from '../../explain/tell-step.ts'
import { escapeLine } from '../../model/escape.ts'
import type { InstallationInspection } from '../../nanoclaw/inspect-installation.ts'
import type { InspectedMessage, InspectedSession, ReadSession } from '../../nanoclaw/judge-v2.ts'
import { listSome } from './list-some.ts'
import { formatTable } from './table.ts'
import { formatAge, formatSpan } from './time.ts'

const NAME_CHARS = 60

const STUCK_WORDS: Readonly<Record<NonNullable<InspectedMessage['stuck']>, string>> = {
  'no-container': 'claimed, and its container does not run',
  silent: 'claimed, and nothing moves',
  unheeded: 'due, and its container takes no notice',
  'no-time': 'never due: its time is none',
  'tries-spent': 'due, and every try is spent',
}

/** An installation of NanoClaw v2 for people. Names in it are the words of whoever made them. */
export function formatInspection(inspection: InstallationInspection): string {
  const { root, atMs, sessions } = inspection
  if (sessions.length === 0) return `${escapeLine(root)} has no sessions on record.\n${describeOrphans(inspection)}`
  const parts = [
    formatSessions(sessions, atMs),
    formatClaims(sessions),
    formatStuck(sessions, atMs),
    formatSeries(sessions, atMs),
    formatNext(sessions, atMs),
    describeOrphans(inspection),
    'Whether a container runs is what v2.db says; nothing was changed.\n',
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function formatSessions(sessions: readonly InspectedSession[], nowMs: number): string {
  const head = ['SESSION', 'STATUS', 'CONTAINER', 'DUE', 'CLAIMED', 'STUCK', 'UNSENT', 'HEARTBEAT', 'NEXT DUE', 'WOULD']
  const rows = sessions.map((session) => {
    const { files, next, container } = session
    const start = [name(session.id), name(session.status ?? '?'), container]
    if (files.seen !== 'read') return [...start, '?', '?', '?', '?', '?', '?', files.seen]
    return [
      ...start,
      ...countsOf(files),
      String(files.undelivered),
      files.heartbeatAgeMs === null ? '-' : `${formatSpan(files.heartbeatAgeMs)} ago`,
      formatAge(files.nextDueAtMs, nowMs),
      next === null ? '?' : `${next.action} (${name(next.because)})`,
    ]
  })
  return formatTable(head, rows)
}

/** Due, claimed and stuck; `+`: or more, for not all are told. */
function countsOf({ messages, untold }: ReadSession): string[] {
  const count = (is: (message: InspectedMessage) => boolean, isMore: boolean) =>
    `${messages.filter(is).length}${isMore ? '+' : ''}`
  return [
    count(({ state }) => state === 'due', untold.waking > 0),
    count(({ state }) => state === 'claimed', untold.claims > 0),
    count(({ stuck }) => stuck !== null, untold.waking > 0 || untold.claims > 0),
  ]
}

function formatClaims(sessions: readonly InspectedSession[]): string {
  const rows = each(sessions).flatMap(([session, { messages, tool }]) =>
    messages
      .filter(({ state }) => state === 'claimed')
      .map(({ id, claimAgeMs, tries, prospect }) => [
        name(session.id),
        name(id),
        claimAgeMs === null ? '?' : formatSpan(claimAgeMs),
        String(tries),
        tool === null ? '-' : name(tool.name),
        prospect ?? '-',
      ]),
  )
  return formatTable(['CLAIM OF', 'MESSAGE', 'FOR', 'TRIES', 'TOOL', 'WOULD BE'], rows)
}

function formatStuck(sessions: readonly InspectedSession[], nowMs: number): string {
  const rows = each(sessions).flatMap(([session, { messages }]) =>
    messages.flatMap(({ id, stuck, dueAtMs }) =>
      stuck === null ? [] : [[name(session.id), name(id), formatAge(dueAtMs, nowMs), STUCK_WORDS[stuck]]],
    ),
  )
  return formatTable(['STUCK IN', 'MESSAGE', 'DUE', 'WHY'], rows)
}

function formatSeries(sessions: readonly InspectedSession[], nowMs: number): string {
  const rows = each(sessions).flatMap(([session, { series }]) =>
    series.map(({ id, recurrence, state, dueAtMs }) => [
      name(session.id),
      name(id),
      name(recurrence),
      state.replaceAll('-', ' '),
      state === 'next-not-made' ? '-' : formatAge(dueAtMs, nowMs),
    ]),
  )
  return formatTable(['SERIES OF', 'SERIES', 'RECURRENCE', 'STATE', 'NEXT DUE'], rows)
}

/** Sentences about those with which something would be done, or that could not be seen. */
function formatNext(sessions: readonly InspectedSession[], nowMs: number): string {
  return sessions
    .flatMap(({ id, files, next }) => {
      if (files.seen === 'unreadable') return [`${name(id)}: unknown. ${escapeLine(files.because, 300)}\n`]
      if (files.seen === 'missing') return [`${name(id)}: it is on record, and has no folder.\n`]
      if (next === null) return [`${name(id)}: unknown. It has more messages than are looked at, none of these due.\n`]
      if (next.action === 'leave') return []
      const step = { sessionId: id, epoch: null, ...next, evidence: { ...next.evidence } }
      return [`${name(id)}: ${tellStep(step, prospects(files, nowMs))}\n`]
    })
    .join('')
}

function prospects({ nextDueAtMs }: ReadSession, nowMs: number) {
  return { nowMs, heldBack: null, nextDueAtMs, spawnNotBeforeMs: 0, spawnFailures: 0, lastSpawnError: null }
}

function each(sessions: readonly InspectedSession[]): [InspectedSession, ReadSession][] {
  return sessions.flatMap((session) => (session.files.seen === 'read' ? [[session, session.files]] : []))
}

function describeOrphans({ orphans, unreadableFolders }: InstallationInspection): string {
  const found = listSome(orphans.map(name))
  const unread = listSome(unreadableFolders.map((folder) => escapeLine(folder)))
  return [
    found === '' ? '' : `Session folders without a session on record: ${found}.\n`,
    unread === '' ? '' : `Session folders in these are not known, for they cannot be read: ${unread}.\n`,
  ].join('')
}

function name(text: string): string {
  return escapeLine(text, NAME_CHARS)
}
