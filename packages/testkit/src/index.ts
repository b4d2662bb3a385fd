export { FakeWorld, settle } from './fake-world.ts'
