/** For crash tests and other mailboxes; no promise is made about these beyond one version. */
export { FileMailbox, type FileMailboxOptions } from './file-mailbox/file-mailbox.ts'
export { ClaimLoop, type ClaimLoopOptions, type LoopEnd } from './loop/claim-loop.ts'
export { FileRequests, type FileRequestsOptions } from './requests/file-requests.ts'
export { type RunEnvironment, readRunEnvironment } from './run-environment.ts'
export { type Program, type RunProgramOptions, runProgram } from './run-program.ts'
export { type OnStep, STEPS, type Step } from './steps.ts'
export { type RunnerWorld, realRunnerWorld } from './world.ts'
