import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** Gives each test a directory of its own, gone with everything in it afterwards. */
export function useTempDir(): () => string {
  let path = ''
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'sessiond-store-'))
  })
  afterEach(() => rmSync(path, { recursive: true, force: true }))
  return () => path
}
