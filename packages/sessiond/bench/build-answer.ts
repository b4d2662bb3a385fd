import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { GroupOptions } from 'sessiond'
import type { Scratch } from './scratch.ts'

/** A group whose runs are one small Node program in one file, as the bundled runner is. */
export async function buildAnswerGroup(scratch: Scratch): Promise<GroupOptions> {
  const outfile = `${scratch.dir}/answer.mjs`
  await build({
    entryPoints: [fileURLToPath(new URL('./programs/answer.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['sessiond-source'],
    logLevel: 'warning',
  })
  return { runner: { command: [process.execPath, outfile] }, idleStop: '6h', retry: { base: '20ms', max: '100ms' } }
}
