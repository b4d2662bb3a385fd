/** File names inside one session's mailbox, relative to `in/` or `out/`. */
export const INBOUND_DB = 'inbound.db'
export const OUTBOUND_DB = 'outbound.db'
export const HEARTBEAT_FILE = '.heartbeat'
export const ATTACHMENTS_DIR = 'attachments'
export const FILES_DIR = 'files'

/** Where a container sees its mailbox, workspace, runner and Node; a plain process gets host paths instead. */
export const CONTAINER_PATHS = {
  in: '/sessiond/in',
  out: '/sessiond/out',
  work: '/workspace',
  runner: '/sessiond/runner.mjs',
  mcp: '/sessiond/mcp.mjs',
  node: '/sessiond/node',
} as const

/** Environment variables the host sets for every run. */
export const RUN_ENV = {
  /** Absolute path of `in/`, read-only to the run. */
  in: 'SESSIOND_IN',
  /** Absolute path of `out/`, the only part of the mailbox the run may write. */
  out: 'SESSIOND_OUT',
  /** Absolute path of the workspace, kept across runs. */
  work: 'SESSIOND_WORK',
  /** `<group>/<session>`. */
  session: 'SESSIOND_SESSION',
  /** This run's epoch, a positive integer. A runner that finds another epoch in `inbound.db` exits. */
  epoch: 'SESSIOND_EPOCH',
  /** Unique name of this run; also the label by which the host finds its processes again. */
  run: 'SESSIOND_RUN',
  /** JSON list, program then arguments: starts the MCP server by which an agent schedules work, on stdio. */
  mcp: 'SESSIOND_MCP',
  /** JSON of {@link AgentSpec}; absent when the group brings its own runner. */
  agent: 'SESSIOND_AGENT',
} as const
