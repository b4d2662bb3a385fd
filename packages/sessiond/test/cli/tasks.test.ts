import { describe, expect, it } from 'vitest'
import { makeDir, runInside } from './cli-harness.ts'
import { startFakeApi } from './fake-api.ts'

const CRON = ['--cron', '0 9 * * *']

describe('sessiond schedule', () => {
  it('shows the next firings before it stores the task', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { code, stdout } = await runInside(dir.path, ['schedule', 'ops/main', 'water', ...CRON, '--tz', 'UTC'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /NEXT \(UTC\)[\s\S]*Tue 2030-01-01 09:00:00 \+00:00[\s\S]*Task t-1 is scheduled in ops\/main/,
    )
    const request = { group: 'ops', session: 'main', text: 'water', cron: '0 9 * * *', timeZone: 'UTC' }
    expect(api.host.calls).toEqual([
      { method: 'previewSchedule', args: [request] },
      { method: 'schedule', args: [request] },
    ])
  })

  it('stores nothing with --dry-run', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { stdout } = await runInside(dir.path, ['schedule', 'ops', 'x', '--after', '2h', '--dry-run', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ timeZone: 'UTC', firings: [{ note: '' }] })
    expect(api.host.calls.map(({ method }) => method)).toEqual(['previewSchedule'])
  })

  it('says everything it is told, and takes a limit away with none', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const options = ['--seconds', '--gap', 'skip', '--repeated', 'both', '--overlap', 'queue', '--missed', 'each']
    const more = ['--missed-max', '3', '--missed-within', 'none', '--missed-until', '11:00', '--stagger', '5m']
    const last = [
      '--on-zone-change',
      'keep-instant',
      '--max-runs',
      'none',
      '--back-off-after',
      '2',
      '--pause-after',
      'none',
    ]
    const { stderr } = await runInside(dir.path, [
      'schedule',
      'ops',
      'x',
      ...CRON,
      ...options,
      ...more,
      ...last,
      '--end',
      'none',
      '--id',
      'a',
    ])
    expect(stderr).toBe('')
    expect(api.host.calls[1]?.args[0]).toEqual({
      group: 'ops',
      session: 'main',
      text: 'x',
      id: 'a',
      cron: '0 9 * * *',
      seconds: true,
      gap: 'skip',
      repeated: 'both',
      overlap: 'queue',
      missed: 'each',
      missedMax: 3,
      missedWithin: null,
      missedUntil: '11:00',
      stagger: '5m',
      onZoneChange: 'keep-instant',
      maxRuns: null,
      backOffAfterFailures: 2,
      pauseAfterFailures: null,
      end: null,
    })
  })

  it.each([
    ['nothing that says when', ['schedule', 'ops', 'x'], 'Say when'],
    ['an overlap that is none', ['schedule', 'ops', 'x', ...CRON, '--overlap', 'often'], 'skip, queue, replace, allow'],
    ['a session that climbs', ['schedule', '../x', 'x', ...CRON], 'SESSION_NAME_INVALID'],
    ['an id with a blank', ['schedule', 'ops', 'x', ...CRON, '--id', 'a b'], 'MESSAGE_ID_INVALID'],
    ['no command of tasks', ['tasks'], 'There is no command'],
    ['a task that climbs', ['tasks', 'show', '../x'], 'MESSAGE_ID_INVALID'],
  ])('refuses %s and asks the host nothing', async (_, args, words) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { code, stderr } = await runInside(dir.path, args)
    expect(code).toBe(2)
    expect(stderr).toContain(words)
    expect(api.host.calls).toEqual([])
  })
})

describe('sessiond tasks', () => {
  it.each<[string, string[], string, string, unknown[]]>([
    ['list', ['--session', 'ops'], 'listSeries', 't-1   ops/main  active  0 9 * * *', [{ sessionId: 'ops/main' }]],
    ['show', ['t-1'], 'showSeries', 'missed    newest', ['t-1']],
    ['pause', ['t-1'], 'pauseSeries', 'task      t-1', ['t-1']],
    ['resume', ['t-1'], 'resumeSeries', 'task      t-1', ['t-1']],
    ['run-now', ['t-1'], 'runSeriesNow', 't-1.1 waits', ['t-1']],
    [
      'update',
      ['t-1', '--text', 'new', '--tz', 'none'],
      'updateSeries',
      't-1',
      ['t-1', { text: 'new', timeZone: null }],
    ],
    ['cancel', ['t-1.3'], 'cancelSeries', 't-1.3 is cancelled', ['t-1.3']],
  ])('%s asks the host and says what came of it', async (verb, args, method, words, asked) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { code, stdout } = await runInside(dir.path, ['tasks', verb, ...args])
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(words) })
    expect(api.host.calls).toEqual([{ method, args: asked }])
  })

  it('ledger tells every line, and with --check whether the sums balance', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path)
    const ledger = await runInside(dir.path, ['tasks', 'ledger', 't-1'])
    expect(ledger.stdout).toMatch(/1 +Thu 1970-01-01 00:00:00 \+00:00 +1 +ran +completed +t-1\.1/)
    const check = await runInside(dir.path, ['tasks', 'ledger', 't-1', '--check'])
    expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('The sums balance.') })
  })

  it('ledger --check exits with 1 when the sums do not balance', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    api.host.checkLedger = async () => ({
      due: 3,
      told: 2,
      live: 0,
      ran: 2,
      merged: 0,
      skipped: 0,
      expired: 0,
      runNow: 0,
      balances: false,
    })
    const { code, stdout } = await runInside(dir.path, ['tasks', 'ledger', 't-1', '--check'])
    expect(code).toBe(1)
    expect(stdout).toContain('The sums do not balance: 3 were due, 2 are told of.')
  })
})

it('sessiond zone says where the user of a session is', async () => {
  await using dir = await makeDir()
  await using api = await startFakeApi(dir.path)
  const { stdout } = await runInside(dir.path, ['zone', 'ops', 'Asia/Tokyo'])
  expect(stdout).toBe('ops/main goes by Asia/Tokyo.\n')
  await runInside(dir.path, ['zone', 'ops/main', 'none'])
  expect(api.host.calls).toEqual([
    { method: 'setTimeZone', args: ['ops/main', 'Asia/Tokyo'] },
    { method: 'setTimeZone', args: ['ops/main', null] },
  ])
})
