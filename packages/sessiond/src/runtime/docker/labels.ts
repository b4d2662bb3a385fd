import type { RunSpec } from '../runtime.ts'

/** Labels by which a container is known for one of ours, and whose. Always compared exactly. */
export const LABEL = {
  install: 'sessiond.install',
  session: 'sessiond.session',
  group: 'sessiond.group',
  epoch: 'sessiond.epoch',
  run: 'sessiond.run',
} as const

/** The labels of a run's container. */
export function labelsOf(spec: RunSpec): Record<string, string> {
  return {
    [LABEL.install]: spec.installId,
    [LABEL.session]: spec.sessionId,
    [LABEL.group]: spec.group,
    [LABEL.epoch]: String(spec.epoch),
    [LABEL.run]: spec.name,
  }
}

/** The engine's filter for everything of one install. */
export function installFilter(installId: string): string[] {
  return [`${LABEL.install}=${installId}`]
}

/** Whether labels an engine tells of are exactly one install's: no engine's filter is trusted with that alone. */
export function isOfInstall(labels: Readonly<Record<string, string>> | null | undefined, installId: string): boolean {
  return labels?.[LABEL.install] === installId
}
