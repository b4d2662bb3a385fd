import { describeWithEngine, ensureTestImages } from '@sessiond/testkit/engine'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LedgerLine } from '../../src/model/series.ts'
import { cleanUp, type RuntimeName, shellGroup, startHost, type TestHost } from './harness.ts'
import { settableWorld } from './settable-world.ts'

afterEach(cleanUp)

const DAY_MS = 86_400_000

async function ledgerOf(test: TestHost, seriesId: string): Promise<LedgerLine[]> {
  return (await test.host.listLedger({ seriesId })).toReversed()
}

async function expectBalanced(test: TestHost, seriesId: string): Promise<void> {
  expect(await test.host.checkLedger(seriesId)).toMatchObject({ balances: true })
}

async function untilEnded(test: TestHost, seriesId: string): Promise<void> {
  await test.until(
    `the end of ${seriesId}`,
    ({ type, detail }) => type === 'series:ended' && detail.seriesId === seriesId,
  )
}

function exerciseSeries(runtime: RuntimeName): void {
  it('(E1, E3) fires a series again and again, also after failures, until it is done', async () => {
    const test = await startHost({ shell: shellGroup(runtime, { retry: { maxTries: 1 } }) })
    const text = 'echo x >> times; test "$(wc -l < times)" -eq 2 && exit 1; echo "ran $(wc -l < times)"'
    const { series } = await test.host.schedule({ group: 'shell', text, every: '1s', maxRuns: 3 })
    await untilEnded(test, series.id)
    const lines = await ledgerOf(test, series.id)
    expect(lines.filter(({ outcome }) => outcome === 'ran').map(({ because }) => because)).toEqual([
      'completed',
      'failed',
      'completed',
    ])
    await expectBalanced(test, series.id)
    for (const { messageId, firstDueAtMs } of lines) {
      if (messageId === null) continue
      const claimed = test.events.find((event) => event.type === 'message:claimed' && event.messageId === messageId)
      expect(claimed?.atMs).toBeGreaterThanOrEqual(firstDueAtMs)
    }
  })
}

describe('series, on processes', () => {
  exerciseSeries('process')

  it('(E4, E5) fires each instant once over restarts of the host, and what it missed as its policy says', async () => {
    const { world, stepWallClock } = settableWorld()
    const test = await startHost({ shell: shellGroup('process') }, {}, { world })
    const newest = await test.host.schedule({ group: 'shell', session: 'a', text: 'echo newest', cron: '0 9 * * *' })
    const none = await test.host.schedule({
      group: 'shell',
      session: 'b',
      text: 'echo none',
      cron: '0 9 * * *',
      missed: 'none',
    })
    const each = await test.host.schedule({
      group: 'shell',
      session: 'c',
      text: 'echo each',
      cron: '0 9 * * *',
      missed: 'each',
      missedMax: 2,
    })
    stepWallClock(7 * DAY_MS)
    await test.restart()
    await test.untilType('message:completed', 3)
    await test.restart()
    expect(test.replies().sort()).toEqual(['each', 'each', 'newest'])
    for (const { series } of [newest, none, each]) await expectBalanced(test, series.id)
    const sums = await Promise.all([newest, none, each].map(({ series }) => test.host.checkLedger(series.id)))
    expect(sums.map(({ ran, merged, skipped }) => [ran, merged, skipped])).toEqual([
      [1, 6, 0],
      [0, 0, 7],
      [2, 0, 5],
    ])
  })

  it('(E16) pauses what fails again and again, tells its user, and goes on when it is resumed', async () => {
    const test = await startHost({ shell: shellGroup('process', { retry: { maxTries: 1 } }) })
    const request = { group: 'shell', text: 'exit 1', every: '1s', backOffAfterFailures: null, pauseAfterFailures: 2 }
    const { series } = await test.host.schedule(request)
    const paused = await test.untilType('series:paused')
    expect(paused.detail).toMatchObject({ seriesId: series.id, failuresInARow: 2 })
    const told = await test.until('a word', ({ reply }) => reply?.content.includes('is paused') === true)
    expect(told.reply?.content).toContain('it failed 2 times in a row')
    await test.host.updateSeries(series.id, { text: 'echo mended', maxRuns: 3 })
    await test.host.resumeSeries(series.id)
    await test.untilType('message:completed')
    await untilEnded(test, series.id)
    expect(test.replies()).toContain('mended')
    await expectBalanced(test, series.id)
  })

  it('runs one now, cancels one, and lists what there is', async () => {
    const test = await startHost({ shell: shellGroup('process') })
    const { series, firings } = await test.host.schedule({ group: 'shell', text: 'echo now', cron: '0 9 1 1 *' })
    expect(firings).toHaveLength(10)
    const { messageId } = await test.host.runSeriesNow(series.id)
    await test.until('its end', (event) => event.type === 'message:completed' && event.messageId === messageId)
    expect((await test.host.showSeries(messageId)).series).toMatchObject({ id: series.id, firings: 0, state: 'active' })
    expect(await test.host.listSeries({ states: ['active'] })).toHaveLength(1)
    await test.host.cancelSeries(series.id)
    await expect(test.host.resumeSeries(series.id)).rejects.toMatchObject({ code: 'SERIES_NOT_OPEN' })
    await expect(test.host.showSeries('t-none')).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
    expect((await test.host.showSession('shell/main')).session.status).toBe('open')
  })

  it('replaces an occurrence that still runs by the next', async () => {
    const test = await startHost({ shell: shellGroup('process') }, { runs: { stopGrace: '1s' } })
    const text = 'test -e tried && exec echo quick; touch tried; sleep 60'
    const request = { group: 'shell', text, every: '3s', overlap: 'replace', maxRuns: 2 } as const
    const { series } = await test.host.schedule(request)
    await untilEnded(test, series.id)
    const lines = await ledgerOf(test, series.id)
    expect(lines.filter(({ messageId }) => messageId !== null).map(({ because }) => because)).toEqual([
      'cancelled',
      'completed',
    ])
    expect(test.replies()).toEqual(['quick'])
    await expectBalanced(test, series.id)
  })

  it('hands an agent its session’s zone, and series go by it when the user travels', async () => {
    const test = await startHost({ shell: shellGroup('process', { timeZone: 'Europe/Berlin' }) })
    const { series } = await test.host.schedule({ group: 'shell', text: 'echo x', cron: '0 9 * * *' })
    expect(series.zone).toBe('Europe/Berlin')
    await test.host.setTimeZone('shell/main', 'Asia/Tokyo')
    const { timeZone, firings } = await test.host.showSeries(series.id)
    expect(timeZone).toBe('Asia/Tokyo')
    expect(firings[0]?.local).toMatch(/09:00:00 \+09:00$/)
    await test.host.send({ group: 'shell', id: 'asks', text: 'echo "$SESSIOND_ZONE"' })
    await test.until('its end', (event) => event.type === 'message:completed' && event.messageId === 'asks')
    expect(test.replies()).toEqual(['Asia/Tokyo'])
    await expect(test.host.setTimeZone('shell/main', 'Mars/Base')).rejects.toMatchObject({ code: 'ZONE_INVALID' })
  })
})

describeWithEngine('series, in containers', () => {
  beforeAll(ensureTestImages, 180_000)
  exerciseSeries('docker')
})
