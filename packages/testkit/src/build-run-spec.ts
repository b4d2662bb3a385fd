import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunSpec, RunUser } from '../../sessiond/src/ports.ts'

export interface BuildRunSpec {
  /** An empty folder of the test's own. */
  readonly root: string
  readonly installId: string
  readonly name: string
  /** What `runtime.userOf` says: owns `out/` and `work/`. */
  readonly user: RunUser | null
  readonly runnerCommand: readonly string[] | null
}

/** Makes a run's directories and the plainest specification for it; `changes` go above it. */
export async function buildRunSpec(built: BuildRunSpec, changes: Partial<RunSpec> = {}): Promise<RunSpec> {
  const { root, installId, name, user, runnerCommand } = built
  const [inDir, outDir, workDir] = ['in', 'out', 'work'].map((folder) => join(root, name, folder)) as [
    string,
    string,
    string,
  ]
  for (const folder of [inDir, outDir, workDir]) await mkdir(folder, { recursive: true })
  if (user !== null) for (const folder of [outDir, workDir]) await chown(folder, user.uid, user.gid)
  return {
    installId,
    sessionId: 'tests/main',
    group: 'tests',
    epoch: 1,
    name,
    inDir,
    outDir,
    workDir,
    logPath: join(root, name, 'run.log'),
    agentJson: null,
    runnerCommand,
    environment: {},
    mounts: [],
    limits: { memoryBytes: null, processes: null, cpus: null, fileBytes: null, logBytes: 64 * 1024 },
    image: null,
    network: 'none',
    user,
    ...changes,
  }
}
