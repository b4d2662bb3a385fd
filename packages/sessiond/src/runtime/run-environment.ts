import { RUN_ENV } from '@sessiond/protocol'
import type { RunSpec } from './runtime.ts'

/** What a run finds where, in its own view of the file system. */
export interface RunView {
  readonly in: string
  readonly out: string
  readonly work: string
  /** Program and arguments of the MCP server; null: none is to be had. */
  readonly mcp: readonly string[] | null
}

/**
 * Builds a run's whole environment: a base, the group's variables above it, the protocol's above both. Nothing
 * of the host's own environment gets in unless the caller put it into `base`.
 */
export function runEnvironment(
  spec: RunSpec,
  view: RunView,
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...base,
    ...spec.environment,
    [RUN_ENV.in]: view.in,
    [RUN_ENV.out]: view.out,
    [RUN_ENV.work]: view.work,
    [RUN_ENV.session]: spec.sessionId,
    [RUN_ENV.epoch]: String(spec.epoch),
    [RUN_ENV.run]: spec.name,
    ...(view.mcp === null ? {} : { [RUN_ENV.mcp]: JSON.stringify(view.mcp) }),
    ...(spec.agentJson === null ? {} : { [RUN_ENV.agent]: spec.agentJson }),
  }
}
