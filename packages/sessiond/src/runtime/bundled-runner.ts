import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Node options every bundled runner starts with: its SQLite module still warns on stderr. */
export const RUNNER_NODE_OPTIONS: readonly string[] = ['--disable-warning=ExperimentalWarning']

/**
 * Path of the one-file MCP server that runs beside agents; null where it does not lie beside this program, as when
 * somebody made one file of their host: no run may fail for want of it.
 */
export function bundledMcpPath(): string | null {
  try {
    const path = createRequire(import.meta.url).resolve('@sessiond/runner/mcp')
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}

/** Path of the one-file runner that comes with sessiond. It exists after `npm run build`. */
export function bundledRunnerPath(): string {
  return createRequire(import.meta.url).resolve('@sessiond/runner/bundle')
}
