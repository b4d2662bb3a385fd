export { exerciseMailbox, type MailboxHarness } from './exercise-mailbox.ts'
export { FakeWorld, settle } from './fake-world.ts'
export { holdDatabase, leaveHotJournal } from './hold-database.ts'
export { messageOf, projectionOf, withDatabase, writeAck, writeReply } from './mailbox-builders.ts'
