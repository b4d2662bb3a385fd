export { describeWithEngine, dockerAvailable, whyNoEngine } from './docker-available.ts'
export { describeWithPython } from './python-available.ts'
export { ensureBusyboxImage, ensureTestImages, TEST_IMAGE } from './test-image.ts'
