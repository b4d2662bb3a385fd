import { TEST_IMAGE } from '../../../testkit/src/test-image.ts'
import type { GroupOptions } from '../../src/config/options.ts'
import { PROGRAM, type Programs } from './build-programs.ts'
import type { AgentPlan } from './crash-plan.ts'
import type { CaseSize } from './plan-case.ts'

/** How the crash test uses one runtime. */
export interface CrashRuntime {
  readonly name: 'process' | 'docker'
  readonly size: CaseSize
  /** Cases under way at once: most of a case is waiting. */
  readonly concurrency: number
  /** The part of a group that differs; `isBroken`: its program is missing. */
  groupOf(programs: Programs, agent: AgentPlan, isBroken: boolean): GroupOptions
}

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning']

/** Where containers see the programs. */
const MOUNTED = '/programs'

/** Runs as plain processes. */
export const PROCESS: CrashRuntime = {
  name: 'process',
  size: { maxSessions: 3, maxMessages: 6 },
  concurrency: 3,
  groupOf: ({ runner }, agent, isBroken) => ({
    runtime: 'process',
    runner: {
      command: [isBroken ? '/nowhere/node' : process.execPath, ...NODE_OPTIONS, runner, JSON.stringify(agent)],
    },
  }),
}

/** Runs in containers of the engine that is there. */
export const DOCKER: CrashRuntime = {
  name: 'docker',
  size: { maxSessions: 1, maxMessages: 4 },
  concurrency: 3,
  groupOf: ({ dir }, agent, isBroken) => ({
    runtime: 'docker',
    image: TEST_IMAGE.node,
    mounts: [{ source: dir, target: MOUNTED }],
    runner: {
      command: [
        isBroken ? '/nowhere/node' : 'node',
        ...NODE_OPTIONS,
        `${MOUNTED}/${PROGRAM.runner}`,
        JSON.stringify(agent),
      ],
    },
  }),
}
