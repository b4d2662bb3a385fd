import { fileURLToPath } from 'node:url'

/** Folder of the tiny programs that tests run as agents; shell ones work in any image with a shell. */
export const FIXTURES_DIR: string = fileURLToPath(new URL('./fixtures', import.meta.url))
