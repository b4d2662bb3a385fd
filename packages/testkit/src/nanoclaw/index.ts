export { writeEndlessTree } from '../endless-tree.ts'
export { leaveV1Files, makeV1, type V1GroupPlan, v1Claude } from './make-v1.ts'
export {
  addV2Session,
  leaveV2Files,
  makeV2,
  makeV2Mailbox,
  type V2Mailbox,
  type V2SessionPlan,
  v2Claude,
  v2Session,
} from './make-v2.ts'
export { setAge, writeAged } from './tree.ts'
