import { describe, expect, test } from 'vitest'
import { parsePsLines } from './darwin-process-table.ts'

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
