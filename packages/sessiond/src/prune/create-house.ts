import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import type { HostConfig } from '../config/config.ts'
import type { ArtifactClass } from '../model/artifact.ts'
import { retentionOf, rulesFor } from '../retention/retention-of.ts'
import { archiveRule } from './archive/archive-paths.ts'
import { type ArchiveDeps, createClosedSessions } from './archive/create-closed-sessions.ts'
import type { HouseDeps } from './house.ts'
import { trashOf } from './trash.ts'

export interface CreateHouse extends Pick<HouseDeps, 'world' | 'files'> {
  readonly config: HostConfig
  readonly store: HouseDeps['store'] & ArchiveDeps['store']
  /** Whether the disk has room for an archive, which is there before what it holds goes. */
  readonly hasRoom: () => Promise<boolean>
}

/** What prunings of a configuration's data directory work with. */
export function createHouse({ config, world, store, files, hasRoom }: CreateHouse): HouseDeps {
  const { dataDir, cleaning } = config
  const closedSessionsMsOf = (group: string) => retentionOf(config, group).closedSessionsMs
  return {
    world,
    store,
    files,
    closed: createClosedSessions({ world, store, dataDir, closedSessionsMsOf, hasRoom }),
    dataDir,
    figures: {
      rules: (groups) => [...rulesFor(config, groups), ...archiveRules(config, groups)],
      rows: () => ({
        retention: config.defaults.retention.rows,
        groups: new Map([...config.groups].map(([group, { retention }]) => [group, retention.rows])),
      }),
    },
    batch: cleaning.batch,
    trashMs: cleaning.trashMs,
    listGroups: () => listGroups(dataDir, [...config.groups.keys()]),
    listTrash: () => foldersIn(trashOf(dataDir)),
  }
}

function archiveRules(config: HostConfig, groups: readonly string[]): ArtifactClass[] {
  return groups.flatMap((group) => {
    const { archivesMs } = retentionOf(config, group)
    return archivesMs === null ? [] : [archiveRule(config.dataDir, group, archivesMs)]
  })
}

/** Configured groups, and those that have left the configuration and something behind. */
async function listGroups(dataDir: string, configured: readonly string[]): Promise<readonly string[]> {
  const found = [...(await foldersIn(join(dataDir, 'sessions'))), ...(await foldersIn(join(dataDir, 'archives')))]
  return [...new Set([...configured, ...found.filter(isValidName)])].sort()
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    // No session has had a run yet, or nothing was ever put aside.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
