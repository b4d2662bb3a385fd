import { CONTAINER_PATHS } from '@sessiond/protocol'
import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode'
import { runEnvironment } from '../run-environment.ts'
import type { ResolvedMount, RunLimits, RunSpec, RunUser } from '../runtime.ts'
import { labelsOf } from './labels.ts'

/** What the run's program is, as decided by the group and the configuration. */
export interface ContainerProgram {
  /** Program and arguments; empty: the image's own. */
  readonly command: readonly string[]
  /** What the program itself needs to see, such as the runner and a Node. */
  readonly mounts: readonly ResolvedMount[]
  /** Program and arguments by which an agent starts the MCP server; null: none is to be had. */
  readonly mcp: readonly string[] | null
}

export interface ContainerPlan {
  readonly spec: RunSpec
  readonly program: ContainerProgram
  readonly user: RunUser
  /** Whether the engine has an init to reap orphans and hand on signals. */
  readonly hasInit: boolean
}

const TMP_BYTES = 256 * 1024 * 1024

/** Rotated files the engine keeps of a log. */
const LOG_FILES = 2

/** Builds the body of the engine's "create container" call. Pure. */
export function containerOptions({ spec, program, user, hasInit }: ContainerPlan): ContainerCreateOptions {
  return {
    Image: spec.image ?? '',
    Labels: labelsOf(spec),
    ...commandOf(program.command),
    Env: Object.entries(environmentOf(spec, program)).map(([name, value]) => `${name}=${value}`),
    User: `${user.uid}:${user.gid}`,
    WorkingDir: CONTAINER_PATHS.work,
    StopSignal: 'SIGTERM',
    // An image's health check would be a process of its own, started every few seconds.
    Healthcheck: { Test: ['NONE'] },
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    OpenStdin: false,
    Tty: false,
    HostConfig: hostConfigOf(spec, program, hasInit),
  }
}

function commandOf([program, ...rest]: readonly string[]): Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'> {
  return program === undefined ? {} : { Entrypoint: [program], Cmd: rest }
}

function environmentOf(spec: RunSpec, { mcp }: ContainerProgram): Record<string, string> {
  const { in: inDir, out, work } = CONTAINER_PATHS
  return runEnvironment(spec, { in: inDir, out, work, mcp }, { HOME: work })
}

function hostConfigOf(spec: RunSpec, program: ContainerProgram, hasInit: boolean): HostConfig {
  const { limits } = spec
  return {
    Mounts: [...mailboxMounts(spec), ...program.mounts, ...spec.mounts].map(bindMount),
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${TMP_BYTES}` },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
    IpcMode: 'private',
    NetworkMode: spec.network,
    AutoRemove: false,
    RestartPolicy: { Name: 'no' },
    ...(hasInit ? { Init: true } : {}),
    LogConfig: { Type: 'json-file', Config: logConfigOf(limits) },
    ...resourcesOf(limits),
  }
}

function mailboxMounts({ inDir, outDir, workDir }: RunSpec): ResolvedMount[] {
  return [
    { source: inDir, target: CONTAINER_PATHS.in, writable: false },
    { source: outDir, target: CONTAINER_PATHS.out, writable: true },
    { source: workDir, target: CONTAINER_PATHS.work, writable: true },
  ]
}

/** As a mount, not as a bind string: paths may hold colons, and a missing source is an error, not a new folder. */
function bindMount({ source, target, writable }: ResolvedMount): MountSettings {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: !writable }
}

function logConfigOf({ logBytes }: RunLimits): Record<string, string> {
  return { 'max-size': String(Math.max(Math.floor(logBytes / LOG_FILES), 1024)), 'max-file': String(LOG_FILES) }
}

function resourcesOf({ memoryBytes, processes, cpus, fileBytes }: RunLimits): HostConfig {
  const noCore = { Name: 'core', Soft: 0, Hard: 0 }
  const files = fileBytes === null ? [] : [{ Name: 'fsize', Soft: fileBytes, Hard: fileBytes }]
  return {
    // Equal figures: no swap on top.
    ...(memoryBytes === null ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(processes === null ? {} : { PidsLimit: processes }),
    ...(cpus === null ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    Ulimits: [noCore, ...files],
  }
}
