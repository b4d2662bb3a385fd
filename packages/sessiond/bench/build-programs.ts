import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import type { GroupOptions } from 'sessiond'
import type { Scratch } from './scratch.ts'

const SHIPPED = fileURLToPath(new URL('../dist/index.js', import.meta.url))

/** A group whose runs are one small Node program in one file, as the bundled runner is. */
export async function buildAnswerGroup(scratch: Scratch): Promise<GroupOptions> {
  const program = await buildProgram(scratch, 'programs/answer.ts', { conditions: ['sessiond-source'] })
  return { runner: { command: [process.execPath, program] }, idleStop: '6h', retry: { base: '20ms', max: '100ms' } }
}

/** The process around a host as JavaScript, so that Node's own TypeScript loader is not counted as the host's memory. */
export function buildHostProcess(scratch: Scratch): Promise<string> {
  return buildProgram(scratch, 'host-process.ts', { alias: { sessiond: SHIPPED }, external: [SHIPPED] })
}

async function buildProgram(scratch: Scratch, source: string, options: BuildOptions): Promise<string> {
  const outfile = join(scratch.dir, `${source.replaceAll('/', '-')}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
    ...options,
  })
  return outfile
}
