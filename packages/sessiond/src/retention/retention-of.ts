import { join } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { FILE_CLASSES, type HostConfig, type RetentionPolicy } from '../config/config.ts'
import { isWithin } from '../config/is-within.ts'
import type { ArtifactClass } from '../model/artifact.ts'
import type { GroupRetention, RowRetention } from '../model/retention.ts'
import { SHIPPED_CLASSES } from './shipped-classes.ts'

type Configured = Pick<HostConfig, 'dataDir' | 'groups' | 'defaults'>

/**
 * Retention of one group, complete. Any name is answered: what a group that has left the configuration left behind is
 * kept by the host's figures.
 */
export function retentionOf(config: Configured, group: string): GroupRetention {
  const { files, rows, closedSessionsMs, archivesMs } = policyOf(config, group)
  return {
    rows,
    artifacts: [
      ...shippedRules(files, config.dataDir, group),
      ...(config.groups.get(group)?.retention.artifacts ?? []),
    ].map((rule) => onRecord(rule, config.dataDir)),
    closedSessionsMs,
    archivesMs,
  }
}

/** Retention of one group's rows; any name is answered. */
export function rowRetentionOf(config: Configured, group: string): RowRetention {
  return policyOf(config, group).rows
}

/**
 * The rules one pruning of `groups` goes by: what is shipped, then each group's own classes, then the host's. Shipped
 * ones come first so that no class of one's own takes what they protect. Empty `groups`: the host's classes alone.
 */
export function rulesFor(config: Configured, groups: readonly string[]): readonly ArtifactClass[] {
  const each = [...new Set(groups)]
  return [
    ...each.flatMap((group) => shippedRules(policyOf(config, group).files, config.dataDir, group)),
    ...each.flatMap((group) => config.groups.get(group)?.retention.artifacts ?? []),
    ...config.defaults.retention.artifacts,
  ].map((rule) => onRecord(rule, config.dataDir))
}

/**
 * Among the folders of sessions one whose session is not on record is no session's: after a restored backup, say. It is
 * for doctor to tell of, and for nobody to go through.
 */
function onRecord(rule: ArtifactClass, dataDir: string): ArtifactClass {
  if (!isWithin(rule.root, join(dataDir, 'sessions'))) return rule
  return { ...rule, protects: [...rule.protects, 'no-record'] }
}

function policyOf(config: Configured, group: string): RetentionPolicy {
  return (config.groups.get(group) ?? config.defaults).retention
}

function shippedRules(files: RetentionPolicy['files'], dataDir: string, group: string): ArtifactClass[] {
  // A name that leads out of the sessions' folder names no group.
  if (!isValidName(group)) return []
  return FILE_CLASSES.flatMap((name) => {
    const bounds = files[name]
    if (bounds === null) return []
    const { maxAgeMs, maxCount, maxBytes } = bounds
    const { patterns, ageBy = 'writing', keep, protects } = SHIPPED_CLASSES[name]
    const root = join(dataDir, 'sessions', group)
    const figures = { ageBy, maxAgeMs, maxCount, maxBytes, mayGoEarly: true }
    return [{ name, group, root, patterns, ...figures, keep: [...keep, ...bounds.keep], protects }]
  })
}
