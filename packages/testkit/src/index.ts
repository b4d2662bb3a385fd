export { buildRecording, type RecordingPlan } from './build-recording.ts'
export { type BuildRunSpec, buildRunSpec } from './build-run-spec.ts'
export { exerciseMailbox, type MailboxHarness } from './exercise-mailbox.ts'
export { exerciseRuntime, type RuntimeHarness } from './exercise-runtime.ts'
export { exerciseStore, type StoreHarness } from './exercise-store.ts'
export { FakeWorld, settle } from './fake-world.ts'
export { FIXTURES_DIR } from './fixtures.ts'
export { holdDatabase, leaveHotJournal } from './hold-database.ts'
export { livingProcesses } from './living-processes.ts'
export { messageOf, projectionOf, withDatabase, writeAck, writeReply } from './mailbox-builders.ts'
export {
  type ModelAnswer,
  type ModelRequest,
  type ModelRequestBody,
  type ModelScript,
  type ModelServer,
  type ModelStep,
  says,
  startModelServer,
  type ToolCall,
} from './model-server/index.ts'
export { PROVIDER } from './provider-policy.ts'
export { ScriptedRuntime } from './scripted-runtime.ts'
export { type RuntimeHost, type RuntimeHostJob, spawnRuntimeHost } from './spawn-runtime-host.ts'
export { until, untilFile, untilFileHolds, untilSeen } from './until.ts'
