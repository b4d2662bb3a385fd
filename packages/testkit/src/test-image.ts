import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, posix } from 'node:path'
import { promisify } from 'node:util'
import { Engine } from '../../sessiond/src/runtime/docker/engine.ts'
import { packTar, type TarEntry } from './tar.ts'

/** Images for tests, made of this machine's own files: no registry is asked. */
export const TEST_IMAGE = {
  /** A static busybox and nothing else: no libc, no Node. */
  busybox: 'sessiond-test:busybox',
  /** The same with this process's Node, found as `node`. */
  node: 'sessiond-test:node',
} as const

/** Where Debian's package busybox-static puts it. */
export const BUSYBOX = '/bin/busybox'

const CONTENT_LABEL = 'sessiond.test-content'

/** Importing reads a Node binary of over 100 MB. */
const IMPORT_TIMEOUT_MS = 120_000

const REPOSITORY = 'sessiond-test'

/** Builds both test images unless they are there with the very same content. */
export async function ensureTestImages(): Promise<void> {
  const engine = new Engine({ socketPath: null, callTimeoutMs: IMPORT_TIMEOUT_MS })
  const busybox = await busyboxEntries()
  await ensureImage(engine, 'busybox', busybox)
  await ensureImage(engine, 'node', [...busybox, ...(await nodeEntries())])
}

/** Builds the small one on an engine that is not this machine's usual one. */
export async function ensureBusyboxImage(socketPath: string): Promise<void> {
  const engine = new Engine({ socketPath, callTimeoutMs: IMPORT_TIMEOUT_MS })
  await ensureImage(engine, 'busybox', await busyboxEntries())
}

/** Applets of the static busybox; throws when it is missing or needs libraries. */
export async function listApplets(): Promise<string[]> {
  // A program that needs a loader names it.
  if ((await readFile(BUSYBOX)).includes('/ld-linux'))
    throw new Error(`${BUSYBOX} is not static: install busybox-static`)
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list'])
  return stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox')
}

async function busyboxEntries(): Promise<TarEntry[]> {
  const applets = await listApplets()
  return [
    ...['bin', 'dev', 'etc', 'proc', 'sys', 'usr'].map((path): TarEntry => ({ kind: 'folder', path })),
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    { kind: 'text', path: 'etc/passwd', text: 'root:x:0:0:root:/:/bin/sh\n' },
    { kind: 'text', path: 'etc/group', text: 'root:x:0:\n' },
    { kind: 'file', path: 'bin/busybox', source: BUSYBOX },
    ...applets.map((applet): TarEntry => ({ kind: 'link', path: `bin/${applet}`, to: 'busybox' })),
  ]
}

async function nodeEntries(): Promise<TarEntry[]> {
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] }
  const libraries = sharedObjects.filter((path) => path.startsWith('/') && /\.so[.\d]*$/.test(path))
  const files = [
    { path: '/usr/bin/node', source: process.execPath },
    ...libraries.map((path) => ({ path, source: path })),
  ]
  const folders = new Set(files.flatMap(({ path }) => ancestors(path)))
  // These stand already.
  for (const path of ['bin', 'usr']) folders.delete(path)
  return [
    ...[...folders].map((path): TarEntry => ({ kind: 'folder', path })),
    ...(await Promise.all(
      files.map(async ({ path, source }): Promise<TarEntry> => {
        return { kind: 'file', path: path.slice(1), source: await realpath(source) }
      }),
    )),
  ]
}

function ancestors(path: string): string[] {
  const folder = dirname(path)
  return folder === posix.sep ? [] : [...ancestors(folder), folder.slice(1)]
}

async function ensureImage(engine: Engine, tag: string, entries: readonly TarEntry[]): Promise<void> {
  const content = await contentOf(entries)
  const present = await findImage(engine, tag)
  if (present?.Config.Labels?.[CONTENT_LABEL] === content) return
  const options = { repo: REPOSITORY, tag, changes: [`LABEL ${CONTENT_LABEL}=${content}`] }
  await engine.call(`import the test image ${tag}`, async (docker) => {
    const progress = await docker.importImage(packTar(entries), options)
    for await (const line of progress) {
      if (String(line).includes('"error"')) throw new Error(`import of ${tag}: ${line}`)
    }
  })
  // The new one has taken its name: nobody would find it again. Containers of other runs may still use it (409).
  if (present !== undefined) {
    await engine.askExpecting('remove a replaced test image', [404, 409], (docker) =>
      docker.getImage(present.Id).remove(),
    )
  }
}

function findImage(engine: Engine, tag: string) {
  return engine.askExpecting('find a test image', [404], (docker) => docker.getImage(`${REPOSITORY}:${tag}`).inspect())
}

/** Stands for all of an image's content: sources are known by size and time, not read. */
async function contentOf(entries: readonly TarEntry[]): Promise<string> {
  const hash = createHash('sha256')
  for (const entry of entries) {
    hash.update(JSON.stringify(entry))
    if (entry.kind !== 'file') continue
    const { size, mtimeMs } = await stat(entry.source)
    hash.update(`${size}:${mtimeMs}`)
  }
  return hash.digest('hex').slice(0, 16)
}
