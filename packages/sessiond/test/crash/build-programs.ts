import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The programs of the crash test, each one file, made of the sources as they stand. */
export interface Programs {
  /** Readable by any user: containers mount it. */
  readonly dir: string
  readonly host: string
  readonly runner: string
  dispose(): Promise<void>
}

/** Names of the files in `dir`; the host looks for its mailbox worker beside itself. */
export const PROGRAM = { host: 'host.js', runner: 'runner.js' } as const

/** Bundles them: a host is started about a thousand times, and one file loads three times as fast as the sources. */
export async function buildPrograms(): Promise<Programs> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'crash-programs-')))
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  await build({
    entryPoints: {
      host: here('./crash-host.ts'),
      worker: here('../../src/mailbox/worker.ts'),
      runner: here('./crash-runner.ts'),
    },
    outdir: dir,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['sessiond-source'],
    external: ['cpu-features', '*.node'],
    // Some dependencies are CommonJS.
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
    },
    logLevel: 'warning',
  })
  await writeFile(join(dir, 'package.json'), '{"type":"module"}\n')
  await chmod(dir, 0o755)
  return {
    dir,
    host: join(dir, PROGRAM.host),
    runner: join(dir, PROGRAM.runner),
    dispose: () => rm(dir, { recursive: true, force: true }),
  }
}
