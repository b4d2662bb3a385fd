import { createRequire } from 'node:module'

/** Node options every bundled runner starts with: its SQLite module still warns on stderr. */
export const RUNNER_NODE_OPTIONS: readonly string[] = ['--disable-warning=ExperimentalWarning']

/** Path of the one-file MCP server that runs beside agents. It exists after `npm run build`. */
export function bundledMcpPath(): string {
  return createRequire(import.meta.url).resolve('@sessiond/runner/mcp')
}

/** Path of the one-file runner that comes with sessiond. It exists after `npm run build`. */
export function bundledRunnerPath(): string {
  return createRequire(import.meta.url).resolve('@sessiond/runner/bundle')
}
