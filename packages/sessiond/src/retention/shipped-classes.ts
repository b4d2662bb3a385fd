import type { FileClass } from '../config/config.ts'
import type { ArtifactClass } from '../model/artifact.ts'

/** What a class is made of besides its figures, below `<data>/sessions/<group>`. */
export type ShippedClass = Pick<ArtifactClass, 'patterns' | 'keep' | 'protects'> & Partial<Pick<ArtifactClass, 'ageBy'>>

/** Where Claude keeps its own: in the home of the run, which is its workspace; our agent names a folder of its own. */
const CLAUDE_HOMES = ['{session}/work/.claude', '{session}/work/.claude-config']

const ofClaude = (...below: readonly string[]): string[] =>
  below.flatMap((pattern) => CLAUDE_HOMES.map((home) => `${home}/${pattern}`))

/**
 * What every session may leave behind. The order is that in which an entry finds its class; no two of them overlap.
 * Nothing of the mailbox itself is here: both its databases are the host's to bound.
 */
export const SHIPPED_CLASSES: Readonly<Record<FileClass, ShippedClass>> = {
  transcripts: {
    // The folder beside a transcript holds the results of its tools.
    patterns: ofClaude('projects/*/{id}.jsonl', 'projects/*/{id}/'),
    // What an agent remembers of a project lies among the folders of its conversations.
    keep: ['memory'],
    protects: ['id'],
  },
  debugLogs: { patterns: ofClaude('debug/{id}.txt', 'debug/*'), keep: ['latest'], protects: ['id'] },
  todos: { patterns: ofClaude('todos/{id}-agent-{id}.json', 'todos/*'), keep: [], protects: ['id'] },
  telemetry: { patterns: ofClaude('telemetry/**/*'), keep: [], protects: [] },
  groupLogs: { patterns: ['{session}/work/logs/**/*.log'], keep: [], protects: [] },
  runLogs: { patterns: ['{session}/runs/{epoch}.log'], keep: [], protects: ['run'] },
  recordings: {
    patterns: ['{session}/runs/{epoch}.recording.jsonl', '{session}/runs/{epoch}.blackbox.json'],
    keep: [],
    protects: ['run'],
  },
  setAside: {
    patterns: ['', '-journal', '-wal', '-shm'].map((suffix) => `{session}/runs/{epoch}.outbound.db${suffix}`),
    keep: [],
    protects: ['run'],
  },
  // A file that is handed over may be far older than the handing over.
  attachments: { patterns: ['{session}/in/attachments/**/*'], ageBy: 'arrival', keep: [], protects: ['work'] },
  files: { patterns: ['{session}/out/files/**/*'], ageBy: 'arrival', keep: [], protects: ['work'] },
}

/** What a class keeps by name, where its entries lie: never removed by any class, this one switched on or off. */
export function keptPatterns(name: FileClass): readonly string[] {
  const { patterns, keep } = SHIPPED_CLASSES[name]
  return [...new Set(keep.flatMap((kept) => patterns.map((pattern) => pattern.replace(/[^/]+(\/?)$/, `${kept}$1`))))]
}
