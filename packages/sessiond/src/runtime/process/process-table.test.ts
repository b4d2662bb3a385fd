import { describe, expect, test } from 'vitest'
import { parsePsLines } from './darwin-process-table.ts'
import { parseLinuxStat } from './linux-stat.ts'

describe('parseLinuxStat', () => {
  const rest = '1 42 43 0 -1 4194304 95 0 0 0 0 0 0 0 20 0 1 0 123456 2703360 380 18446744073709551615'

  test.each([
    ['a plain name', `41 (sleep) S ${rest}`],
    ['a name with brackets and spaces', `41 (a) R 9 9 9 (b) S ${rest}`],
    ['a name that ends like a line', `41 (x) Z 1 1 1) S ${rest}`],
  ])('reads %s', (_, line) => {
    expect(parseLinuxStat(line)).toEqual({
      pid: 41,
      isDead: false,
      groupId: 42,
      sessionId: 43,
      startTicks: '123456',
    })
  })

  test.each(['Z', 'X'])('counts state %s as dead', (state) => {
    expect(parseLinuxStat(`41 (sleep) ${state} ${rest}`).isDead).toBe(true)
  })

  test('refuses what is no such line', () => {
    expect(() => parseLinuxStat('')).toThrow('unreadable')
    expect(() => parseLinuxStat('41 (sleep) S 1 2')).toThrow('unreadable')
  })
})

describe('parsePsLines', () => {
  test('reads pid, group, user, state, start and command with its environment', () => {
    const output = [
      '  501   500   501 Ss   Mon Nov  3 09:08:07 2025     /bin/sleep 60 SESSIOND_RUN=run-1 HOME=/',
      '  502   500   501 Z    Mon Nov 23 19:08:07 2025     (sleep)',
      'not a line of ps',
      '',
    ].join('\n')
    expect(parsePsLines(output)).toEqual([
      {
        pid: 501,
        groupId: 500,
        uid: 501,
        isDead: false,
        startId: 'Mon_Nov_3_09:08:07_2025',
        command: '    /bin/sleep 60 SESSIOND_RUN=run-1 HOME=/',
      },
      { pid: 502, groupId: 500, uid: 501, isDead: true, startId: 'Mon_Nov_23_19:08:07_2025', command: '    (sleep)' },
    ])
  })
})
