import { join } from 'node:path'
import { isValidName } from '@sessiond/protocol'
import { FILE_CLASSES, type FileClass, type HostConfig, type RetentionPolicy } from '../config/config.ts'
import { isWithin } from '../config/is-within.ts'
import type { ArtifactClass } from '../model/artifact.ts'
import { keptPatterns, SHIPPED_CLASSES } from './shipped-classes.ts'

type Configured = Pick<HostConfig, 'dataDir' | 'groups' | 'defaults'>

/**
 * Figures of one group. Any name is answered: what a group that has left the configuration left behind is kept by the
 * host's.
 */
export function retentionOf(config: Pick<Configured, 'groups' | 'defaults'>, group: string): RetentionPolicy {
  return (config.groups.get(group) ?? config.defaults).retention
}

/**
 * The rules one pruning of `groups` goes by: what is shipped, then each group's own classes, then the host's. Shipped
 * ones come first so that no class of one's own takes what they protect, nor, of those switched off, what they keep
 * whatever is configured. Empty `groups`: the host's classes alone.
 */
export function rulesFor(config: Configured, groups: readonly string[]): readonly ArtifactClass[] {
  const each = [...new Set(groups)]
  return [
    ...each.flatMap((group) => shippedRules(retentionOf(config, group).files, config.dataDir, group)),
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

function shippedRules(files: RetentionPolicy['files'], dataDir: string, group: string): ArtifactClass[] {
  // A name that leads out of the sessions' folder names no group.
  if (!isValidName(group)) return []
  return FILE_CLASSES.flatMap((name) => {
    const bounds = files[name]
    const { patterns, ageBy = 'writing', keep, protects } = SHIPPED_CLASSES[name]
    const own = { name, group, root: join(dataDir, 'sessions', group), ageBy, mayGoEarly: true }
    if (bounds === null) return keptRules(own)
    const { maxAgeMs, maxCount, maxBytes } = bounds
    return [{ ...own, patterns, maxAgeMs, maxCount, maxBytes, keep: [...keep, ...bounds.keep], protects }]
  })
}

/** Of a class that is switched off: it takes what it keeps, so that no other class does, and removes nothing. */
function keptRules(
  own: Pick<ArtifactClass, 'root' | 'group' | 'ageBy' | 'mayGoEarly'> & { readonly name: FileClass },
): ArtifactClass[] {
  const patterns = keptPatterns(own.name)
  if (patterns.length === 0) return []
  return [{ ...own, patterns, maxAgeMs: null, maxCount: null, maxBytes: null, keep: [], protects: [] }]
}
