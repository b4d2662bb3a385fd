import { join } from 'node:path'
import type { ActiveReferences, ArtifactClass, PlannedRemoval, PrunePlan } from '../model/artifact.ts'
import { type Layout, SESSIONS, V2_SESSION_PREFIX } from './installation.ts'

const DAY_MS = 86_400_000

/** Where the Claude files of a group lie below the folder of the sessions, and its agent's folder in their names. */
const CLAUDE: Readonly<Record<Layout, { readonly home: string; readonly project: string }>> = {
  'nanoclaw-v1': { home: '{group}/.claude', project: '-workspace-group' },
  'nanoclaw-v2': { home: '{group}/.claude-shared', project: '-workspace-agent' },
}

/** What an installation of this layout leaves behind, and for how long it stays. */
export function rulesOf(layout: Layout, root: string): ArtifactClass[] {
  const sessions = join(root, ...SESSIONS[layout])
  const claude = claudeRules(sessions, CLAUDE[layout])
  const logs = rule('groupLogs', join(root, 'groups'), ['{group}/logs/*.log'], 7)
  return layout === 'nanoclaw-v1' ? [...claude, logs] : [...claude, sessionFolders(sessions), logs]
}

function claudeRules(root: string, { home, project }: { readonly home: string; readonly project: string }) {
  const projects = `${home}/projects/${project}`
  return [
    // Beside the conversations and their tool results lies what the agent is to remember for good.
    // One that grew too large or too old is put aside under a longer name, and its conversation is begun anew.
    {
      ...rule(
        'transcripts',
        root,
        [`${projects}/{id}.jsonl`, `${projects}/{id}.jsonl.rotated-*`, `${projects}/{id}/`],
        7,
      ),
      keep: ['memory'],
    },
    // `latest` is where the newest one is looked for, link or file.
    {
      ...rule('debugLogs', root, [`${home}/debug/{id}.txt`, `${home}/debug/{id}`], 3),
      keep: ['latest', 'latest.txt'],
    },
    rule('todos', root, [`${home}/todos/{id}-agent-{id}.json`, `${home}/todos/{id}.json`], 3),
    rule(
      'telemetry',
      root,
      [`${home}/telemetry/1p_failed_events.{id}.{id}.json`, `${home}/telemetry/{id}.json`, `${home}/telemetry/{id}`],
      7,
    ),
  ]
}

/**
 * Of sessions that are closed on record and owe nothing; `readReferences` names all others as in use. What its pattern
 * captures is the name of a folder without its beginning: `asCaptured` and `asNamed` go between the two.
 */
function sessionFolders(root: string): ArtifactClass {
  const patterns = [`{group}/${V2_SESSION_PREFIX}{session}/`]
  return { ...rule('sessionFolders', root, patterns, 7), protects: ['session', 'work'] }
}

/** Sessions as the rules capture them, of those by the names of their folders. */
export function asCaptured(active: ActiveReferences): ActiveReferences {
  return {
    ...active,
    openSessions: withoutPrefix(active.openSessions),
    workingSessions: withoutPrefix(active.workingSessions),
  }
}

/** A plan made by the rules, its sessions by the names of their folders. */
export function asNamed(plan: PrunePlan): PrunePlan {
  const named = ({ session }: PlannedRemoval) => (session === null ? null : `${V2_SESSION_PREFIX}${session}`)
  return { ...plan, removals: plan.removals.map((removal) => ({ ...removal, session: named(removal) })) }
}

function withoutPrefix(places: ReadonlySet<string>): ReadonlySet<string> {
  const start = `/${V2_SESSION_PREFIX}`
  return new Set([...places].flatMap((place) => (place.includes(start) ? [place.replace(start, '/')] : [])))
}

function rule(name: string, root: string, patterns: readonly string[], days: number): ArtifactClass {
  const protects = patterns.some((pattern) => pattern.includes('{id}')) ? (['id'] as const) : []
  return {
    name,
    group: null,
    root,
    patterns,
    ageBy: 'writing',
    maxAgeMs: days * DAY_MS,
    maxCount: null,
    maxBytes: null,
    mayGoEarly: false,
    keep: [],
    protects,
  }
}
