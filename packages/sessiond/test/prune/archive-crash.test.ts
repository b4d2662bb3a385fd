import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CLEANING_BOUNDARIES } from '../crash/boundaries.ts'
import { type ArchiveBed, makeArchiveBed, textIn, writeIn } from './archive-bed.ts'
import { startProgram } from './start-program.ts'

const SESSIONS = Array.from({ length: 16 }, (_, index) => `g/s${index}`)
const FILES = 20
/** Right at a boundary, and some way behind it, in the middle of packing or removing. */
const TURNS = [0, 1, 3, 40, 200, 1_000, 4_000]
/** The first step of a start is `archive:packed`, the second `archive:removed`. */
const KILLS = TURNS.flatMap((turns) => [1, 2].map((step) => ({ step, turns })))

let bed: ArchiveBed
beforeEach(async () => {
  bed = await makeArchiveBed()
})
afterEach(() => bed[Symbol.asyncDispose]())

/**
 * Starts the work in a process and kills that with SIGKILL at the n-th step, and so many turns later. Returns the
 * boundary it stood at or had last passed; null: it was done.
 */
async function killedAt(step: number, turns: number): Promise<string | null> {
  await using program = await startProgram('archive-sessions', [bed.dataDir])
  program.child.send('go')
  let said = ''
  for (let seen = 0; seen < step; seen += 1) {
    said = String(await program.next())
    if (said === 'done') return null
  }
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return said
}

it('(F9) a host killed at any point loses nothing, and the next ones archive every session whole', async () => {
  for (const id of SESSIONS) {
    await bed.close(id, `note of ${id}`)
    for (let file = 0; file < FILES; file += 1) writeIn(bed.dirOf(id), `work/sub${file % 5}/f${file}`, `${id} ${file}`)
  }
  await bed.store.close()
  const kills: string[] = []
  for (const { step, turns } of KILLS) {
    const at = await killedAt(step, turns)
    // A machine that is fast enough is done before the last of them.
    if (at === null) break
    kills.push(at)
    for (const id of SESSIONS) {
      const hidden = readdirSync(join(bed.dataDir, 'sessions/g')).filter((name) => name.endsWith(`.${id.slice(2)}`))
      expect(existsSync(bed.archiveOf(id)) || existsSync(bed.dirOf(id)) || hidden.length > 0, id).toBe(true)
    }
  }
  expect(await killedAt(Number.POSITIVE_INFINITY, 0)).toBeNull()
  expect(kills.length).toBeGreaterThan(7)
  expect([...new Set(kills)].sort()).toEqual([...CLEANING_BOUNDARIES])
  expect(readdirSync(join(bed.dataDir, 'sessions/g'))).toEqual([])
  expect(readdirSync(join(bed.dataDir, 'archives/g')).sort()).toEqual(
    SESSIONS.map((id) => `${id.slice(2)}.tar.gz`).sort(),
  )
  for (const id of SESSIONS) {
    const unpacked = bed.unpack(id)
    expect(textIn(unpacked)).toBe(`note of ${id}`)
    for (let file = 0; file < FILES; file += 1) {
      expect(textIn(unpacked, `work/sub${file % 5}/f${file}`)).toBe(`${id} ${file}`)
    }
  }
}, 120_000)
