import { describe, expect, it } from 'vitest'
import { ActivityMeter } from './activity-meter.ts'

/** Samples of 5 s each, from 5 s on. */
function meterOf(samples: readonly (readonly [cpuMs: number, ioBytes: number])[]): ActivityMeter {
  const meter = new ActivityMeter()
  for (const [at, [cpuMs, ioBytes]] of samples.entries()) {
    meter.note({ cpuMs, ioBytes, processes: 2, overMs: 5_000 }, (at + 1) * 5_000)
  }
  return meter
}

const STILL = Array.from({ length: 12 }, () => [10, 500] as const)

describe('ActivityMeter', () => {
  it('does not know what was never sampled', () => {
    expect(new ActivityMeter().activeAtMs(0)).toBeNull()
  })

  it('takes what a waiting agent uses for rest: since the first sample', () => {
    expect(meterOf(STILL).activeAtMs(60_000)).toBe(0)
    expect(
      meterOf([
        [40, 758],
        [130, 662],
        [110, 28_144],
        [60, 616],
        [20, 608],
      ]).activeAtMs(30_000),
    ).toBe(0)
  })

  it('sees computing at 4 % of a core', () => {
    expect(meterOf(Array.from({ length: 6 }, () => [199, 0] as const)).activeAtMs(30_000)).toBe(0)
    expect(meterOf(Array.from({ length: 6 }, () => [200, 0] as const)).activeAtMs(30_000)).toBe(30_000)
  })

  it('sees transferring at 4 KiB a second', () => {
    expect(meterOf(Array.from({ length: 6 }, () => [0, 20_479] as const)).activeAtMs(30_000)).toBe(0)
    expect(meterOf(Array.from({ length: 6 }, () => [0, 20_480] as const)).activeAtMs(30_000)).toBe(30_000)
  })

  it('does not let one burst last on', () => {
    expect(meterOf([[5_000, 0], ...STILL]).activeAtMs(30_000)).toBe(5_000)
  })

  it('does not know of a run that is sampled no more', () => {
    const meter = meterOf(STILL)
    expect(meter.activeAtMs(90_000)).toBe(0)
    expect(meter.activeAtMs(90_001)).toBeNull()
    meter.note({ cpuMs: 0, ioBytes: 0, processes: 2, overMs: 5_000 }, 200_000)
    expect(meter.activeAtMs(200_000)).toBe(195_000)
  })

  it('starts anew when its host was away', () => {
    const meter = meterOf([[5_000, 0]])
    meter.restart(60_000)
    meter.note({ cpuMs: 10, ioBytes: 0, processes: 2, overMs: 5_000 }, 65_000)
    expect(meter.activeAtMs(65_000)).toBe(60_000)
  })
})
