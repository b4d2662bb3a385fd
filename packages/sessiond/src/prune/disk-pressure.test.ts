import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DiskPressure, parsePressure } from './disk-pressure.ts'

const TEXT = (some: string) =>
  `some avg10=${some} avg60=99.00 avg300=99.00 total=1\nfull avg10=88.00 avg60=0.00 avg300=0.00 total=1\n`

describe('parsePressure', () => {
  it.each([
    [TEXT('0.00'), 0],
    [TEXT('19.99'), 0.1999],
    [TEXT('100.00'), 1],
    ['full avg10=88.00 avg60=0.00 avg300=0.00 total=1\n', null],
    ['some avg60=1.00 \n', null],
    ['some avg10=x avg60=1.00\n', null],
    ['', null],
  ])('reads %j', (text, share) => {
    expect(parsePressure(text)).toBe(share)
  })
})

describe('DiskPressure', () => {
  function clock(stepMs: number) {
    let nowMs = 0
    return {
      monotonicMs: () => {
        nowMs += stepMs
        return nowMs
      },
    }
  }

  it.each([
    ['19.99', false],
    ['20.00', true],
  ])('takes %s %% of waiting for busy: %s', async (some, isBusy) => {
    const pressure = new DiskPressure({ dataDir: '/nowhere', world: clock(0), readPressure: async () => TEXT(some) })
    expect(await pressure.isBusy()).toBe(isBusy)
  })

  it('looks at most once a second', async () => {
    let [nowMs, looks] = [0, 0]
    const readPressure = async () => {
      looks += 1
      return TEXT('0.00')
    }
    const pressure = new DiskPressure({ dataDir: '/nowhere', world: { monotonicMs: () => nowMs }, readPressure })
    for (nowMs = 0; nowMs < 3_000; nowMs += 10) await pressure.isBusy()
    expect(looks).toBe(3)
  })

  it('goes by the time of a small write where the kernel does not say, and leaves nothing behind', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sessiond-pressure-'))
    try {
      const readPressure = () => Promise.reject(new Error('ENOENT'))
      const ask = (stepMs: number) => new DiskPressure({ dataDir, world: clock(stepMs), readPressure }).isBusy()
      expect(await ask(250)).toBe(false)
      expect(await ask(251)).toBe(true)
      expect(await readdir(dataDir)).toEqual([])
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })

  it('takes a disk that cannot be written for idle: cleaning is what it may need', async () => {
    const readPressure = () => Promise.reject(new Error('ENOENT'))
    const pressure = new DiskPressure({ dataDir: '/nowhere/at/all', world: clock(1_000), readPressure })
    expect(await pressure.isBusy()).toBe(false)
  })
})
