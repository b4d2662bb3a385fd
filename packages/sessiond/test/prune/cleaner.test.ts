import { settle } from '@sessiond/testkit'
import { describe, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import { WHOLE_HOUSE } from '../../src/prune/house.ts'
import { DAY_MS, due, HOUR_MS, MINUTE_MS, POLICY, ScriptedHouse } from './scripted-house.ts'

const UNREADABLE = new SessiondError('REFERENCES_UNREADABLE', 'No sessions to be seen.')

function files(count: number, bytes = 1024) {
  return Array.from({ length: count }, (_, index) => due(`f${index}`, { bytes }))
}

describe('a host that cleans by itself', () => {
  it('leaves a start in peace, cleans soon after it when none is on record, and then once a day', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(3)
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS - 1)
    expect(house.files.plans).toHaveLength(0)
    await house.world.advance(1)
    expect(house.files.due).toEqual([])
    expect(house.causes()).toEqual(['due'])
    await house.world.advance(DAY_MS - MINUTE_MS)
    expect(house.causes()).toEqual(['due'])
    await house.world.advance(2 * MINUTE_MS)
    expect(house.causes()).toEqual(['due', 'due'])
    await house.cleaner.stop()
  })

  it('neither skips nor repeats one, however often it is restarted', async () => {
    const house = new ScriptedHouse()
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    for (let hour = 1; hour <= 48; hour += 1) {
      await house.world.advance(HOUR_MS - 1)
      await house.restart()
      await house.world.advance(1)
    }
    expect(house.causes()).toEqual(['due', 'due'])
    await house.cleaner.stop()
  })

  it.each([-400 * DAY_MS, -DAY_MS, -MINUTE_MS])('goes on when the clock is set back by %i ms', async (stepMs) => {
    const house = new ScriptedHouse()
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    house.world.stepWallClock(stepMs)
    await house.world.advance(DAY_MS + 2 * MINUTE_MS)
    expect(house.causes().length).toBeGreaterThanOrEqual(2)
    expect(house.causes().length).toBeLessThanOrEqual(3)
    await house.restart()
    await house.world.advance(DAY_MS + 2 * MINUTE_MS)
    expect(house.causes().length).toBeLessThanOrEqual(5)
    await house.cleaner.stop()
  })

  it('removes nothing by a clock that leaps years ahead and is set right again', async () => {
    const house = new ScriptedHouse()
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    house.files.due = files(3)
    house.world.stepWallClock(3_650 * DAY_MS)
    house.usage = { usedBytes: 1000, totalBytes: 1000 }
    await house.world.advance(30 * MINUTE_MS)
    house.world.stepWallClock(-3_650 * DAY_MS)
    house.usage = { usedBytes: 1, totalBytes: 1000 }
    await house.world.advance(2 * HOUR_MS)
    expect(house.files.due).toHaveLength(3)
    expect(house.causes()).toEqual(['due'])
    // One that stays there is believed in the end.
    house.world.stepWallClock(3_650 * DAY_MS)
    await house.world.advance(2 * HOUR_MS)
    expect(house.causes()).toEqual(['due', 'due'])
    await house.cleaner.stop()
  })

  it('is not taken in by a date far ahead that it starts with', async () => {
    const house = new ScriptedHouse()
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    await house.cleaner.stop()
    house.files.due = files(3)
    house.world.stepWallClock(3_650 * DAY_MS)
    await house.restart()
    await house.world.advance(59 * MINUTE_MS)
    expect(house.files.due).toHaveLength(3)
    await house.world.advance(3 * MINUTE_MS)
    expect(house.files.due).toEqual([])
    await house.cleaner.stop()
  })

  it('stops when its time is over, lets the rows behind a flood of files have their turn, and comes to an end', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(200)
    house.files.batchMs = MINUTE_MS
    house.rowBatches = 2
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    await house.world.advance(6 * MINUTE_MS)
    // Five batches of a minute; the sixth is not begun.
    expect(house.files.due).toHaveLength(150)
    expect(house.memory).toMatchObject({ goOnWith: 'rows' })
    expect(house.journal[0]?.detail).toMatchObject({ cause: 'due', stoppedAt: 'files', entries: 50 })
    expect(house.passes).toHaveLength(0)
    await house.world.advance(26 * MINUTE_MS)
    expect(house.passes.length).toBeGreaterThan(0)
    await house.world.advance(3 * HOUR_MS)
    expect(house.files.due).toEqual([])
    expect(house.memory?.goOnWith).toBeNull()
    expect(house.causes()).toEqual(['due', 'left-over', 'left-over', 'left-over'])
    await house.cleaner.stop()
  })

  it('goes on after a restart with what was left', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(100)
    house.files.batchMs = MINUTE_MS
    await house.cleaner.start()
    await house.world.advance(3 * MINUTE_MS + 1)
    const stopped = house.cleaner.stop()
    await house.world.advance(MINUTE_MS)
    await stopped
    // The batch it was at, and none after it.
    expect(house.files.due).toHaveLength(70)
    expect(house.journal[0]?.detail).toMatchObject({ entries: 30, stoppedAt: 'files' })
    house.files.batchMs = 0
    await house.restart()
    await house.world.advance(MINUTE_MS)
    expect(house.files.due).toEqual([])
    await house.cleaner.stop()
  })

  it('(F6, H1) fails once in the journal, is tried again ever later, and says when it works again', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(1)
    house.readError = UNREADABLE
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    const planned = () => house.passes.length
    expect(house.types()).toEqual(['prune:failed'])
    expect(house.journal[0]?.detail).toMatchObject({ code: 'REFERENCES_UNREADABLE', cause: 'due' })
    const tries: number[] = []
    for (let minute = 1; minute <= 600; minute += 1) {
      const before = planned()
      await house.world.advance(MINUTE_MS)
      if (planned() > before) tries.push(minute)
    }
    expect(tries.slice(0, 6)).toEqual([1, 3, 7, 15, 31, 63])
    // At most hourly from then on, and never less.
    for (const [index, at] of tries.entries()) if (index > 6) expect(at - (tries[index - 1] ?? 0)).toBe(60)
    expect(house.types()).toEqual(['prune:failed'])
    expect(house.files.plans).toHaveLength(0)
    expect(house.cleaner.failingForMs()).toBeGreaterThan(9 * HOUR_MS)
    house.readError = null
    await house.world.advance(61 * MINUTE_MS)
    expect(house.types()).toEqual(['prune:failed', 'prune:finished'])
    expect(house.journal[1]?.detail).toMatchObject({ failuresBefore: tries.length + 1, entries: 1 })
    expect(house.cleaner.failingForMs()).toBeNull()
    await house.cleaner.stop()
  })

  it('(F6) does the rest of its work when one part of it fails, and tells what went', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(2)
    house.rowError = new SessiondError('DISK_FULL', 'No room.')
    house.closed = [{ archived: 1, bytes: 10, failed: 0, isMore: false }]
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    expect(house.files.due).toEqual([])
    expect(house.types()).toEqual(['prune:finished', 'prune:failed'])
    expect(house.journal[0]?.detail).toMatchObject({ entries: 2, closedSessions: { archived: 1 } })
    expect(house.journal[1]?.detail).toMatchObject({ code: 'DISK_FULL' })
    await house.cleaner.stop()
  })

  it('cleans although nothing can be journalled or remembered: a full disk needs it most', async () => {
    const house = new ScriptedHouse()
    house.journalError = new SessiondError('DISK_FULL', 'No room.')
    house.files.due = files(2)
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    expect(house.files.due).toEqual([])
    expect(house.errors.length).toBeGreaterThan(0)
    const cleaned = house.files.plans.length
    // Without a record of it, it is still not done over and over.
    await house.world.advance(10 * HOUR_MS)
    expect(house.files.plans).toHaveLength(cleaned)
    await house.cleaner.stop()
  })
})

describe('a disk that runs wait for', () => {
  it('is left alone until it is idle again, within the time budget', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(20)
    house.isBusy = true
    await house.cleaner.start()
    await house.world.advance(3 * MINUTE_MS)
    expect(house.files.batches).toEqual([])
    expect(house.passes).toEqual([])
    house.isBusy = false
    await house.world.advance(5_000)
    expect(house.files.due).toEqual([])
    expect(Number(house.journal[0]?.detail.waitedMs)).toBeGreaterThan(100_000)
    await house.cleaner.stop()
  })

  it('is left alone between two batches as well', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(40)
    house.files.batchMs = 1_000
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS + 1_500)
    house.isBusy = true
    await house.world.advance(2 * MINUTE_MS)
    expect(house.files.batches).toHaveLength(2)
    house.isBusy = false
    await house.world.advance(10_000)
    expect(house.files.due).toEqual([])
    await house.cleaner.stop()
  })

  it('(H5) that stays busy is not even planned on, and that it leaves cleaning no time is told once', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(20)
    house.isBusy = true
    await house.cleaner.start()
    await house.world.advance(8 * HOUR_MS)
    expect(house.files.plans).toEqual([])
    expect(house.types()).toEqual(['prune:failed'])
    expect(house.journal[0]?.detail).toMatchObject({ code: 'PRUNE_FAILED', cause: 'due' })
    expect(house.cleaner.failingForMs()).toBeGreaterThan(7 * HOUR_MS)
    house.isBusy = false
    await house.world.advance(70 * MINUTE_MS)
    expect(house.files.due).toEqual([])
    expect(house.types()).toEqual(['prune:failed', 'prune:finished'])
    expect(house.cleaner.failingForMs()).toBeNull()
    await house.cleaner.stop()
  })

  it('is planned on while it is idle, and in spite of it once that has waited as long as a cleaning may take', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(20)
    const answers: (boolean | undefined)[] = []
    house.files.onPlan = async ({ mayGoOn }) => {
      house.isBusy = true
      for (let asked = 0; asked < 3; asked += 1) answers.push(await mayGoOn?.())
      return true
    }
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS + POLICY.budgetMs - 5_000)
    expect(answers).toEqual([])
    await house.world.advance(10_000)
    // A plan cut short would be cut at the same place by the next.
    expect(answers).toEqual([true, true, true])
    house.isBusy = false
    await house.world.advance(5_000)
    expect(house.files.due).toEqual([])
    expect(Number(house.journal[0]?.detail.waitedMs)).toBeGreaterThanOrEqual(POLICY.budgetMs)
    await house.cleaner.stop()
  })

  it('and that fills up all the same is cleaned in spite of it, a batch now and then', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.files.due = files(40)
    house.isBusy = true
    house.usage = { usedBytes: 930, totalBytes: 1000 }
    await house.cleaner.start()
    await house.world.advance(4 * MINUTE_MS)
    expect(house.files.batches.length).toBeGreaterThan(0)
    for (const [index, atMs] of house.files.batches.entries()) {
      if (index > 0) expect(atMs - (house.files.batches[index - 1] ?? 0)).toBeGreaterThanOrEqual(30_000)
    }
    await house.world.advance(10 * MINUTE_MS)
    expect(house.files.due).toEqual([])
    await house.cleaner.stop()
  })

  it('does not keep a person waiting for ever, nor whoever comes after', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.files.due = files(40)
    house.isBusy = true
    await house.cleaner.start()
    const plan = await house.cleaner.plan(WHOLE_HOUSE)
    const carried = house.cleaner.carryOut(plan, { putsAside: false, onProgress: () => {} })
    await house.world.advance(2 * MINUTE_MS)
    expect(await carried).toMatchObject({ stoppedAt: null, looked: 40 })
    await house.cleaner.stop()
  })

  it('does not hold up a stop', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(20)
    house.isBusy = true
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    await house.cleaner.stop()
    expect(house.files.due).toHaveLength(20)
    expect(house.files.isClosed).toBe(true)
    expect(house.world.timerCount()).toBe(0)
  })
})

describe('the high-water mark', () => {
  it('brings the next cleaning forward, and leaves alone what is within its bounds', async () => {
    const house = new ScriptedHouse()
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    house.files.due = files(3, 10)
    house.files.spare = files(5, 10)
    house.usage = { usedBytes: 930, totalBytes: 1000 }
    await house.world.advance(MINUTE_MS)
    expect(house.causes()).toEqual(['due', 'high-water'])
    expect(house.files.plans.at(-1)?.pressure).toEqual({ usedShare: 0.93, highWaterShare: 0.9, wantedBytes: 0 })
    expect(house.files.due).toHaveLength(0)
    expect(house.files.spare).toHaveLength(5)
    await house.cleaner.stop()
  })

  it('asks for more than the bounds give back where new work is about to be refused', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.files.due = files(1, 10)
    house.files.spare = files(5, 10)
    house.usage = { usedBytes: 970, totalBytes: 1000 }
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    // Twice the floor of 20 shall be free, of which there are 30.
    expect(house.files.plans.map(({ pressure }) => pressure?.wantedBytes)).toEqual([10])
    expect(house.files.spare).toHaveLength(0)
    await house.cleaner.stop()
  })

  it('is looked at ever less often when others fill the disk, and told once', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.usage = { usedBytes: 930, totalBytes: 1000 }
    await house.cleaner.start()
    await house.world.advance(DAY_MS)
    // After 10, 20, 40 minutes, and so on to six hours.
    expect(house.files.plans.length).toBeGreaterThan(6)
    expect(house.files.plans.length).toBeLessThan(10)
    expect(house.causes()).toEqual(['high-water'])
    house.usage = { usedBytes: 800, totalBytes: 1000 }
    await house.world.advance(7 * HOUR_MS)
    const before = house.files.plans.length
    // It has come down and risen again: that is another matter.
    house.files.due = files(1, 100)
    house.usage = { usedBytes: 930, totalBytes: 1000 }
    await house.world.advance(6 * HOUR_MS)
    expect(house.files.plans.length).toBeGreaterThan(before)
    expect(house.files.due).toEqual([])
    await house.cleaner.stop()
  })

  it('lets closed sessions and rows have their turn, however many files there are', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.files.due = files(10_000)
    house.files.batchMs = MINUTE_MS
    house.rowBatches = 3
    house.usage = { usedBytes: 970, totalBytes: 1000 }
    await house.cleaner.start()
    await house.world.advance(30 * MINUTE_MS)
    expect(house.passes.length).toBeGreaterThan(0)
    await house.cleaner.stop()
  })

  it('puts nothing aside: that would give no room back', async () => {
    const house = new ScriptedHouse({ everyMs: null, usesTrash: true })
    house.files.due = files(1)
    house.usage = { usedBytes: 990, totalBytes: 1000 }
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    expect(house.files.applies).toEqual([{ trashDir: null }])
    await house.cleaner.stop()
  })
})

describe('a pruning that a person asks for', () => {
  it('has precedence over a cleaning of the host, which goes on afterwards', async () => {
    const house = new ScriptedHouse()
    house.files.due = files(100)
    house.files.batchMs = MINUTE_MS
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    // A plan alone disturbs nothing.
    await house.cleaner.plan(WHOLE_HOUSE)
    await house.world.advance(MINUTE_MS)
    expect(house.files.batches).toHaveLength(2)
    const plan = await house.cleaner.plan(WHOLE_HOUSE)
    expect(plan.files.removals).toHaveLength(90)
    const carried = house.cleaner.carryOut(plan, { putsAside: false, onProgress: () => {} })
    // Nobody gave it a budget.
    await house.world.advance(20 * MINUTE_MS)
    expect(await carried).toMatchObject({ stoppedAt: null, looked: 90, error: null })
    expect(house.causes()).toEqual(['due', 'asked'])
    // The batch that was under way was the last.
    expect(house.journal[0]?.detail).toMatchObject({ entries: 20, stoppedAt: 'files' })
    await house.cleaner.stop()
  })

  it('carries out its plan and nothing else, whatever has come since', async () => {
    const house = new ScriptedHouse({ everyMs: null })
    house.files.due = files(3)
    await house.cleaner.start()
    const plan = await house.cleaner.plan(WHOLE_HOUSE)
    const late = due('late')
    house.files.due.push(late)
    await house.cleaner.carryOut(plan, { putsAside: false, onProgress: () => {} })
    expect(house.files.due).toEqual([late])
    // Rows go by the instant of the plan.
    expect(house.passes.map(({ nowMs }) => nowMs)).toEqual([plan.nowMs])
    await house.cleaner.stop()
  })

  it('is told what failed, and nothing is planned when references cannot be read', async () => {
    const house = new ScriptedHouse()
    house.readError = UNREADABLE
    await house.cleaner.start()
    await expect(house.cleaner.plan(WHOLE_HOUSE)).rejects.toThrow(UNREADABLE.message)
    expect(house.files.plans).toEqual([])
    await house.cleaner.stop()
  })
})

describe('rows', () => {
  it('are not counted before they go, and gone on with where an earlier cleaning stopped', async () => {
    const house = new ScriptedHouse()
    house.rowBatches = Number.POSITIVE_INFINITY
    house.rowMs = 1_000
    await house.cleaner.start()
    await house.world.advance(7 * MINUTE_MS)
    const { rowsFrom } = house.memory ?? { rowsFrom: null }
    expect(rowsFrom).not.toBeNull()
    await house.restart()
    await house.world.advance(30 * MINUTE_MS)
    expect(house.cursors).toContain(rowsFrom)
    expect(house.cursors.filter((cursor) => cursor === null)).toHaveLength(1)
    expect(house.counts).toBe(0)
    await house.cleaner.stop()
  })

  it('go batch after batch to the end, then their room; others get as much time as each batch takes', async () => {
    const house = new ScriptedHouse()
    house.rowBatches = 4
    house.rowMs = 20
    house.space = 3
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    const fromMs = house.world.monotonicMs()
    await house.world.advance(MINUTE_MS / 2)
    expect(house.passes).toHaveLength(5)
    expect(house.space).toBe(0)
    expect(house.journal[0]?.detail).toMatchObject({ rows: { messages: 400 } })
    expect(Number(house.journal[0]?.detail.tookMs)).toBe(5 * 2 * 20)
    expect(house.world.monotonicMs() - fromMs).toBe(MINUTE_MS / 2)
    await house.cleaner.stop()
  })

  it('that never come to an end are stopped by the budget', async () => {
    const house = new ScriptedHouse()
    house.rowBatches = Number.POSITIVE_INFINITY
    house.rowMs = 1_000
    await house.cleaner.start()
    await house.world.advance(7 * MINUTE_MS)
    expect(house.memory).toMatchObject({ goOnWith: 'trash' })
    expect(house.passes.length).toBeLessThanOrEqual(151)
    await house.cleaner.stop()
  })
})

describe('closed sessions', () => {
  const packed = { archived: 1, bytes: 100, failed: 0, isMore: true }

  it('(F6) are packed away until none is left: those that cannot be keep no others waiting', async () => {
    const house = new ScriptedHouse()
    const nothingTried = { archived: 0, bytes: 0, failed: 0, isMore: true }
    house.closed = [packed, { archived: 0, bytes: 0, failed: 10, isMore: true }, packed, nothingTried, packed]
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    expect(house.closed).toHaveLength(1)
    expect(house.journal[0]?.detail).toMatchObject({
      closedSessions: { archived: 2, bytes: 200, failed: 10 },
      bytes: 200,
    })
    await house.cleaner.stop()
  })

  it('(F6) are finished beyond the time for cleaning once begun, unless the host stops or a person asks', async () => {
    const house = new ScriptedHouse()
    const answers: boolean[][] = []
    let begun = 0
    house.onArchive = async ({ mayGoOn, mayFinish }) => {
      begun += 1
      await new Promise<void>((resolve) => house.world.setTimer(9 * MINUTE_MS, resolve))
      answers.push([await mayGoOn(), await mayFinish()])
    }
    const untilBegun = async (times: number) => {
      while (begun < times) await house.world.advance(MINUTE_MS)
    }
    await house.cleaner.start()
    await untilBegun(1)
    await house.world.advance(9 * MINUTE_MS)
    expect(answers).toEqual([[false, true]])
    const plan = await house.cleaner.plan({ classes: new Set(['todos']), group: null })
    await untilBegun(2)
    const carried = house.cleaner.carryOut(plan, { putsAside: false, onProgress: () => {} })
    await house.world.advance(9 * MINUTE_MS)
    await carried
    expect(answers.slice(1)).toEqual([[false, false]])
    await untilBegun(3)
    const stopped = house.cleaner.stop()
    await house.world.advance(9 * MINUTE_MS)
    await stopped
    expect(answers.slice(2)).toEqual([[false, false]])
  })
})

describe('the journal', () => {
  it('holds each class with the figures it was decided on, and stays small whatever was planned', async () => {
    const house = new ScriptedHouse()
    house.files.due = Array.from({ length: 5_000 }, (_, index) =>
      due(`f${index}`, { reason: { bound: 'age', ageMs: index, maxAgeMs: index % 300 } }),
    )
    await house.cleaner.start()
    await house.world.advance(MINUTE_MS)
    await settle()
    const [line] = house.journal
    expect(line?.detail.classes).toMatchObject([
      {
        name: 'debugLogs',
        entries: 5_000,
        reasons: [{ bound: 'age', entries: 17, most: 4_800, limit: 0 }, {}, {}, {}],
      },
    ])
    expect(JSON.stringify(line).length).toBeLessThan(4_000)
    await house.cleaner.stop()
  })
})
