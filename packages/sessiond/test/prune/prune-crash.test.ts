import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { SeededRandom } from '../crash/seeded-random.ts'
import { activeWith, age, contentsOf, crashRules, makeBed, OLD_MS, type PruneBed, snapshot } from './prune-bed.ts'
import { type Program, startProgram } from './start-program.ts'

const UNITS = 20
/** Files of each: so many that their removal takes long enough to be met half done. */
const UNIT_FILES = 240
const KILLS = 4

const CASES = [
  { seed: 1, victim: 'host', usesTrash: false },
  { seed: 2, victim: 'child', usesTrash: false },
  { seed: 3, victim: 'host', usesTrash: true },
] as const

test.each(CASES)(
  '(F6) killed at any point, the next pruning goes on from there: %o',
  async ({ seed, victim, usesTrash }) => {
    await using bed = await makeBed()
    const random = new SeededRandom(seed)
    fill(bed)
    const outside = contentsOf(bed.outside)
    const held = heldOf(bed)
    const trashDir = usesTrash ? join(bed.dir, 'trash') : ''
    const total = snapshot(bed.root).size
    let kills = 0
    let leftovers = 0
    for (let round = 0; round < KILLS; round += 1) {
      const host = await startProgram('prune-host', [bed.dir, bed.root, trashDir])
      const isKilled = await killAt(host, victim, random.between(0, 2), (isBatchDone) =>
        usesTrash || round % 2 > 0 ? waitSome(random) : waitForLeftover(bed, isBatchDone),
      )
      kills += Number(isKilled)
      leftovers += Number(leftoversOf(bed).length > 0)
      expect(heldOf(bed)).toEqual(held)
      expect(contentsOf(bed.outside)).toEqual(outside)
    }
    expect(kills).toBe(KILLS)
    // Some died within a unit, or this shows little.
    if (!usesTrash) expect(leftovers).toBeGreaterThan(0)
    expect(snapshot(bed.root).size).toBeLessThan(total)
    await using last = await startProgram('prune-host', [bed.dir, bed.root, trashDir])
    await untilDone(last)
    expect([...snapshot(bed.root).keys()].filter((path) => !path.startsWith('units/held')).sort()).toEqual([
      'logs',
      ...Array.from({ length: 6 }, (_, folder) => `logs/${folder}`),
      'units',
    ])
    expect(heldOf(bed)).toEqual(held)
    expect(contentsOf(bed.outside)).toEqual(outside)
    if (usesTrash) expect(filesIn(trashDir)).toBe(6 * 20 + UNITS * UNIT_FILES)
    // Whoever died has let go of nothing it should hold, and holds on to nothing.
    const active = activeWith({ ids: new Set(['held']) })
    expect((await bed.plan(crashRules(bed.root), { active })).removals).toEqual([])
  },
  // Hosts that are started and killed, five of each case: long on a machine that does other things too.
  180_000,
)

function fill(bed: PruneBed): void {
  bed.write('../outside/precious')
  for (let folder = 0; folder < 6; folder += 1) {
    for (let file = 0; file < 20; file += 1) bed.write(`logs/${folder}/${file}.log`)
  }
  for (const unit of ['held', ...Array.from({ length: UNITS }, (_, index) => `u${index}`)]) {
    // The oldest, so that the first batches are of units.
    for (let file = 0; file < UNIT_FILES; file += 1)
      bed.write(`units/${unit}/${file % 7}/${file}`, { ageMs: 2 * OLD_MS })
    for (const path of ['0', '1', '2', '3', '4', '5', '6', '.']) age(join(bed.root, 'units', unit, path), 2 * OLD_MS)
  }
}

function heldOf(bed: PruneBed): Map<string, string> {
  return contentsOf(join(bed.root, 'units/held'))
}

function filesIn(dir: string): number {
  return [...snapshot(dir).values()].filter(({ kind }) => kind === 'file').length
}

/** Batches in which a moment is waited for that a busy machine may let pass. */
const ATTEMPTS = 4

/**
 * Kills a host, or the process that works for it, some batches on and then at the moment in the next that is waited for.
 * `waitFor` resolves with whether it has come. False: the host was done.
 */
async function killAt(
  host: Program,
  victim: 'host' | 'child',
  batches: number,
  waitFor: (isBatchDone: () => boolean) => Promise<boolean>,
): Promise<boolean> {
  const exited = new Promise((resolve) => host.child.once('exit', resolve))
  let said = await host.next()
  for (let batch = 0; batch < batches && said === 'batch'; batch += 1) said = await host.ask('go')
  if (said !== 'batch') return false
  const child = childOf(host)
  expect(child).not.toBeNull()
  let answer: Promise<unknown> = Promise.resolve('batch')
  for (let attempt = 0, hasCome = false; !hasCome && attempt < ATTEMPTS; attempt += 1) {
    if ((await answer) !== 'batch') return false
    let isDone = false
    answer = host.ask('go').finally(() => {
      isDone = true
    })
    // A host that is killed has no answer.
    answer.catch(() => {})
    hasCome = await waitFor(() => isDone)
  }
  if (victim === 'host') process.kill(host.child.pid ?? 0, 'SIGKILL')
  else {
    kill(child ?? 0)
    // It may have died when its batch was just done; then the next one fails.
    const said = await answer
    expect(said === 'batch' ? await host.ask('go') : said).toBe('failed')
  }
  await exited
  // Whoever works for a host ends with it, and only then does the next one begin here.
  await vi.waitFor(() => expect(isAlive(child ?? 0)).toBe(false), { timeout: 10_000, interval: 5 })
  return true
}

/** Waits some moment of a batch. */
async function waitSome(random: SeededRandom): Promise<boolean> {
  const untilMs = performance.now() + random.next() * 6
  while (performance.now() < untilMs);
  return true
}

/** Waits for the moment in which a unit is half gone. */
async function waitForLeftover(bed: PruneBed, isBatchDone: () => boolean): Promise<boolean> {
  const known = leftoversOf(bed)
  while (!isBatchDone()) {
    if (leftoversOf(bed).some((name) => !known.includes(name))) return true
    await setImmediate()
  }
  return false
}

function leftoversOf(bed: PruneBed): readonly string[] {
  return readdirSync(join(bed.root, 'units')).filter((name) => name.startsWith('.sessiond-pruning.'))
}

async function untilDone(host: Program): Promise<void> {
  for (let said = await host.next(); said !== 'done'; said = await host.ask('go'));
}

function childOf(host: Program): number | null {
  const pid = host.child.pid ?? 0
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
    return child === undefined ? null : Number(child)
  } catch {
    return null
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was just done.
  }
}

/** One that is dead but whose parent has not looked after it yet does nothing any more. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  } catch {
    return false
  }
}
