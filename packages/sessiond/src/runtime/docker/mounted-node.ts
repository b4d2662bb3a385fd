import { realpath } from 'node:fs/promises'
import { basename, posix } from 'node:path'
import { CONTAINER_PATHS } from '@sessiond/protocol'
import { SessiondError } from '../../model/errors.ts'
import type { ResolvedMount } from '../runtime.ts'

/** This process's own Node, made to run in any Linux image: the files to mount and the words to start it with. */
export interface MountedNode {
  readonly mounts: readonly ResolvedMount[]
  /** To be followed by Node's own arguments. */
  readonly command: readonly string[]
}

interface ProcessReport {
  readonly sharedObjects?: readonly string[]
}

const LOADER = /^ld-(linux|musl)[\w.-]*\.so[.\d]*$/
const LIBRARY = /\.so[.\d]*$/

let cached: Promise<MountedNode> | undefined

/**
 * Finds this process's Node binary, its dynamic loader and its libraries. The loader is named explicitly, so the
 * image's libc does not matter and nothing is left in the environment that would change what the agent starts.
 * Throws RUNTIME_REFUSED where there is no such thing (macOS).
 */
export function mountedNode(): Promise<MountedNode> {
  // A failure is not kept: the files may be put back.
  cached ??= findMountedNode().catch((error: unknown) => {
    cached = undefined
    throw error
  })
  return cached
}

async function findMountedNode(): Promise<MountedNode> {
  const objects = process.platform === 'linux' ? sharedObjects().filter((path) => path.startsWith('/')) : []
  const binary = mount(await realpath(process.execPath), 'bin/node')
  const loader = objects.find((path) => LOADER.test(basename(path)))
  if (loader === undefined) {
    throw new SessiondError('RUNTIME_REFUSED', "This host's Node cannot be brought into a container.", {
      fields: { platform: process.platform },
      cure: "Use an image with Node 24 and set docker.node to 'image'.",
    })
  }
  const libraries = objects.filter((path) => path !== loader && LIBRARY.test(basename(path)))
  const mounts = [
    binary,
    mount(await realpath(loader), 'ld.so'),
    ...(await Promise.all(libraries.map(async (path) => mount(await realpath(path), `lib/${basename(path)}`)))),
  ]
  const libraryPath = posix.join(CONTAINER_PATHS.node, 'lib')
  return { mounts, command: [inNode('ld.so'), '--library-path', libraryPath, binary.target] }
}

function sharedObjects(): readonly string[] {
  const { report } = process
  // Looking up network names would hold up the event loop.
  Object.assign(report, { excludeNetwork: true })
  return (report.getReport() as ProcessReport).sharedObjects ?? []
}

function mount(source: string, target: string): ResolvedMount {
  return { source, target: inNode(target), writable: false }
}

function inNode(path: string): string {
  return posix.join(CONTAINER_PATHS.node, path)
}
