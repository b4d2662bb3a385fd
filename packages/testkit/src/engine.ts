export { describeWithEngine, dockerAvailable, whyNoEngine } from './docker-available.ts'
export { ensureTestImages, TEST_IMAGE } from './test-image.ts'
