import type { ContainerInfo, ContainerInspectInfo } from 'dockerode'
import type { RunExit } from '../../model/run.ts'
import type { FoundRun, SeenRun } from '../runtime.ts'
import { isOfInstall, LABEL } from './labels.ts'

/** States in which nothing of the agent has run yet, in Docker's words and in Podman's. */
const NOT_STARTED = ['created', 'configured', 'initialized']

/** States in which nothing runs any more. */
const OVER = ['exited', 'stopped', 'dead']

/** Tells what an inspected container means for its run. Pure. */
export function seenContainer({ State: state }: Pick<ContainerInspectInfo, 'State'>): SeenRun {
  if (state.Running || state.Paused || state.Restarting) return { state: 'running' }
  if (NOT_STARTED.includes(state.Status)) return { state: 'created' }
  return { state: 'exited', exit: exitOf(state.ExitCode, state.OOMKilled) }
}

/** Tells a listed container as a run; null when it is not exactly this install's. Pure. */
export function foundContainer(
  { Id, Names, Labels, State }: Pick<ContainerInfo, 'Id' | 'Names' | 'Labels' | 'State'>,
  installId: string,
): FoundRun | null {
  if (!isOfInstall(Labels, installId) || isInherited(Names, Labels)) return null
  const epoch = Number(Labels[LABEL.epoch])
  // Whatever is not certainly at rest counts as running: the safe side, as nothing is started beside it.
  const isRunning = !NOT_STARTED.includes(State) && !OVER.includes(State)
  return {
    handle: { runtime: 'docker', id: Id },
    name: Labels[LABEL.run] ?? Id,
    sessionId: Labels[LABEL.session] ?? null,
    epoch: Number.isSafeInteger(epoch) && epoch >= 1 ? epoch : null,
    isRunning,
  }
}

/**
 * Whether the labels came with the image: one made of a run's container by a person (`docker commit`) hands them on. A
 * run's own container bears the run's name; engines write a slash before it.
 */
function isInherited(names: readonly string[] | null | undefined, labels: ContainerInfo['Labels']): boolean {
  const run = labels[LABEL.run]
  // An engine that is removing one may have no name for it any more.
  if (run === undefined || !names?.length) return false
  return !names.some((name) => name === run || name === `/${run}`)
}

function exitOf(code: number, oomKilled: boolean): RunExit {
  return { code, signal: signalOf(code), oomKilled }
}

/** The engine tells a death by signal as 128 + number; of the two we send that much can be believed. */
function signalOf(code: number): string | null {
  if (code === 137) return 'SIGKILL'
  return code === 143 ? 'SIGTERM' : null
}
