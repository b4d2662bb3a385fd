import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { makeCopiesFolder } from './copies-folder.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sessiond-copies-'))
  vi.stubEnv('TMPDIR', dir)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

async function endedPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

/** Last written so long ago. */
function leave(name: string, agoMs: number): string {
  mkdirSync(join(dir, name))
  writeFileSync(join(dir, name, 'outbound.db'), 'x')
  const at = new Date(Date.now() - agoMs)
  utimesSync(join(dir, name), at, at)
  return name
}

it('removes the copies that a killed process has left, and nobody else’s', async () => {
  const [pid, hourMs] = [await endedPid(), 3_600_000]
  leave(`sessiond-read-${pid}-old`, hourMs + 1_000)
  const stays = [
    leave(`sessiond-read-${pid}-young`, hourMs - 60_000),
    leave(`sessiond-read-${process.pid}-alive`, 2 * hourMs),
    leave(`sessiond-read-x${pid}-other`, 2 * hourMs),
    leave(`other-${pid}-old`, 2 * hourMs),
  ]
  symlinkSync(join(dir, `other-${pid}-old`), join(dir, `sessiond-read-${pid}-link`))
  const made = await makeCopiesFolder(Date.now())
  expect(readdirSync(dir).sort()).toEqual([...stays, `sessiond-read-${pid}-link`, basename(made)].sort())
  expect(readdirSync(join(dir, `other-${pid}-old`))).toEqual(['outbound.db'])
})
