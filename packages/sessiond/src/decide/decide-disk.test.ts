import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideDisk } from './decide-disk.ts'

const MIB = 1024 * 1024
const floorBytes = 100 * MIB

describe('decideDisk', () => {
  it.each<[string, boolean, number | null, boolean, 'low' | 'recovered' | null]>([
    ['at the floor', false, floorBytes, false, null],
    ['a byte below the floor', false, floorBytes - 1, true, 'low'],
    ['with nothing at all free', false, 0, true, 'low'],
    ['still below the floor', true, floorBytes - 1, true, null],
    ['back at the floor', true, floorBytes, true, null],
    ['a byte short of recovered', true, 105 * MIB - 1, true, null],
    ['recovered', true, 105 * MIB, false, 'recovered'],
    ['that cannot be asked', false, null, false, null],
    ['low on record, that cannot be asked', true, null, false, null],
  ])('of a disk %s', (_, wasLow, freeBytes, isLow, note) => {
    expect(decideDisk({ isLow: wasLow, freeBytes, floorBytes })).toMatchObject({ isLow, note })
  })

  it('says how much must be free for new work to begin', () => {
    expect(decideDisk({ isLow: false, freeBytes: floorBytes, floorBytes }).wantedBytes).toBe(floorBytes)
    expect(decideDisk({ isLow: false, freeBytes: 0, floorBytes }).wantedBytes).toBe(105 * MIB)
    expect(decideDisk({ isLow: true, freeBytes: 0, floorBytes }).wantedBytes).toBe(105 * MIB)
    expect(decideDisk({ isLow: true, freeBytes: 200 * MIB, floorBytes }).wantedBytes).toBe(floorBytes)
  })

  it('asks a huge disk for no more than some hundred megabytes above its floor', () => {
    const floor = 1024 ** 5
    expect(decideDisk({ isLow: true, freeBytes: floor + 256 * MIB, floorBytes: floor }).note).toBe('recovered')
  })

  it('without a floor is never low, and gives up a low one on record', () => {
    expect(decideDisk({ isLow: false, freeBytes: 0, floorBytes: 0 })).toMatchObject({ isLow: false, note: null })
    expect(decideDisk({ isLow: true, freeBytes: 0, floorBytes: 0 })).toMatchObject({ isLow: false, note: 'recovered' })
  })

  it('tells of low and recovered in turns, and of neither while what is free moves within the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 200 * MIB }))), (looks) => {
        let isLow = false
        const told: string[] = []
        for (const freeBytes of looks) {
          const { note, isLow: isLowNow } = decideDisk({ isLow, freeBytes, floorBytes })
          if (freeBytes !== null && freeBytes < floorBytes) expect(isLowNow).toBe(true)
          if (freeBytes !== null && freeBytes >= 105 * MIB) expect(isLowNow).toBe(false)
          if (note === null) continue
          expect(note).toBe(told.at(-1) === 'low' ? 'recovered' : 'low')
          told.push(note)
          isLow = note === 'low'
        }
      }),
    )
  })
})
