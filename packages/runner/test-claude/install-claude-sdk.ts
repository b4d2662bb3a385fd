import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { TestProject } from 'vitest/node'

/** The version this suite was written against; recordings name it too. */
export const VERSION = '0.3.328'
const NAME = '@anthropic-ai/claude-agent-sdk'
/** Beside the other caches: no package of the workspace finds it there by itself. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/claude-sdk/', import.meta.url))

declare module 'vitest' {
  interface ProvidedContext {
    /** What `import()` takes. */
    claudeSdk: string
  }
}

/** Tells the tests where the SDK is. */
export default function setup(project: TestProject): void {
  project.provide('claudeSdk', claudeSdk())
}

/** Installs the SDK unless this version is there already; returns what `import()` takes. */
export function claudeSdk(): string {
  const folder = join(CACHE, 'node_modules', NAME)
  if (installedVersion(folder) !== VERSION) install()
  const { main } = readManifest(folder)
  return pathToFileURL(join(folder, main)).href
}

function install(): void {
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(join(CACHE, 'package.json'), JSON.stringify({ private: true }))
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  // A package of its own: run inside the workspace's folder, npm would take it for a part of the workspace.
  execFileSync('npm', ['install', '--prefix', CACHE, ...options, `${NAME}@${VERSION}`], {
    cwd: CACHE,
    env: withoutNpm(process.env),
    stdio: 'inherit',
  })
}

/** What `npm run` told its script about the workspace is not for another install. */
function withoutNpm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isWorkspaces = (name: string) => /^npm_config_(local_prefix|workspaces?|include_workspace_root)$/i.test(name)
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isWorkspaces(name)))
}

function installedVersion(folder: string): string | null {
  return existsSync(join(folder, 'package.json')) ? readManifest(folder).version : null
}

function readManifest(folder: string): { readonly version: string; readonly main: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
