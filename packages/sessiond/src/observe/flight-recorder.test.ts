import { describe, expect, it } from 'vitest'
import { FlightRecorder } from './flight-recorder.ts'

const tool = { id: 4, name: 'Bash', timeoutMs: 60_000, expectedMs: null, isBackground: false, renewals: 0 }

describe('FlightRecorder', () => {
  it('writes what moved as a recording has it, counted from its beginning', () => {
    const recorder = new FlightRecorder(1_000)
    recorder.note({ clock: 'claim', messageId: 'm' }, 1_010)
    recorder.note({ clock: 'wait', wait: { reason: 'rate-limit', forMs: 500 } }, 1_020)
    recorder.note({ clock: 'wait-end' }, 1_030)
    recorder.note({ clock: 'tool', tool }, 1_040)
    recorder.note({ clock: 'tool', tool: { ...tool, timeoutMs: 9, renewals: 1 } }, 1_050)
    recorder.noteStall(40, 1_100)
    recorder.note({ clock: 'tool-end', id: 4 }, 1_110)
    recorder.note({ clock: 'tool-end', id: 99 }, 1_110)
    recorder.note({ clock: 'claim-end', messageId: 'm' }, 1_120)
    expect(recorder.lines()).toEqual([
      { t: 10, kind: 'claim', message: 'm' },
      { t: 20, kind: 'model-wait', reason: 'rate-limit', untilMs: 520 },
      { t: 30, kind: 'model-wait-end' },
      { t: 40, kind: 'tool-start', id: 4, tool: 'Bash', timeoutMs: 60_000, expectedMs: null, background: false },
      { t: 50, kind: 'tool-renew', id: 4, timeoutMs: 9 },
      { t: 60, kind: 'host-suspend', forMs: 40 },
      { t: 110, kind: 'tool-end', id: 4, tool: 'Bash' },
      { t: 120, kind: 'done', message: 'm' },
    ])
  })

  it('stays within its bound, and begins with what was open where its beginning was dropped', () => {
    const recorder = new FlightRecorder(0)
    recorder.note({ clock: 'claim', messageId: 'm' }, 1)
    recorder.note({ clock: 'tool', tool }, 2)
    recorder.note({ clock: 'wait', wait: { reason: 'stream', forMs: null } }, 3)
    for (let t = 10; t < 100_000; t += 1) recorder.note({ clock: 'beat' }, t)
    const lines = recorder.lines()
    expect(lines.length).toBeLessThanOrEqual(2 * 2_048)
    expect(lines.slice(0, 3)).toMatchObject([
      { kind: 'claim', message: 'm' },
      { kind: 'tool-start', id: 4, tool: 'Bash' },
      { kind: 'model-wait', reason: 'stream' },
    ])
    expect(lines.at(-1)).toEqual({ t: 99_999, kind: 'beat' })
  })
})
