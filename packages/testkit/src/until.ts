import { access, readFile } from 'node:fs/promises'
import { vi } from 'vitest'
import type { RunHandle, Runtime, SeenRun } from '../../sessiond/src/ports.ts'

/** How long a test waits for something that must come; generous, as it costs nothing when it does. */
const PATIENCE = { timeout: 20_000, interval: 15 }

/** Resolves with a run's state once it is the one awaited. */
export function untilSeen<State extends SeenRun['state']>(
  runtime: Runtime,
  handle: RunHandle,
  state: State,
): Promise<Extract<SeenRun, { state: State }>> {
  return vi.waitFor(async () => {
    const seen = await runtime.inspect(handle)
    if (seen.state !== state) throw new Error(`run is ${JSON.stringify(seen)}, not ${state}`)
    return seen as Extract<SeenRun, { state: State }>
  }, PATIENCE)
}

/** Resolves once a file is there. */
export function untilFile(path: string): Promise<void> {
  return vi.waitFor(() => access(path), PATIENCE)
}

/** Resolves with a file's text once it holds `wanted`. */
export function untilFileHolds(path: string, wanted: string): Promise<string> {
  return vi.waitFor(async () => {
    const text = await readFile(path, 'utf8')
    if (!text.includes(wanted)) throw new Error(`${path} does not hold ${wanted} yet`)
    return text
  }, PATIENCE)
}

/** Resolves once `look` returns without throwing. */
export function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, PATIENCE)
}
