import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileConfig } from '../../src/config/compile-config.ts'
import type { AgentRequest } from '../../src/model/request.ts'
import { createSeriesOperations, type SeriesDeps } from '../../src/operations/series-operations.ts'
import { answerRequest } from '../../src/requests/answer-request.ts'
import { openStore } from '../../src/store/sqlite/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { realWorld } from '../../src/world.ts'

/** Thursday, 12:00 in Berlin. */
const NOW = Date.UTC(2030, 0, 10, 11)

let dataDir: string
let store: Store
let deps: SeriesDeps
let ordinal = 0
let disk = { isLow: false, freeBytes: 5, floorBytes: 10, wantedBytes: 11 }

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sessiond-requests-'))
  const world = { ...realWorld, now: () => NOW }
  disk = { ...disk, isLow: false }
  store = await openStore({ dataDir, world })
  const groups = { a: { agent: { command: ['true'] }, timeZone: 'Europe/Berlin' }, b: { agent: { command: ['true'] } } }
  const config = compileConfig({ dataDir, groups }, { env: {}, baseDir: dataDir })
  deps = {
    config,
    world,
    store,
    diskFloor: { look: async () => disk },
    isStopping: () => false,
    cancelMessage: () => Promise.reject(new Error('no occurrence is cancelled here')),
    onCancelRequested: () => {},
    onChanged: () => {},
  }
  await store.assignZones(new Map([...config.groups.values()].map((group) => [group.name, group.timeZone])), NOW)
})

afterEach(async () => {
  await store.close()
  await rm(dataDir, { recursive: true, force: true })
})

function requestOf(content: object, sessionId = 'a/main'): AgentRequest {
  ordinal += 1
  return { ordinal, id: `q${ordinal}`, sessionId, epoch: 1, content: JSON.stringify(content), createdAtMs: NOW }
}

function carryOut(request: AgentRequest) {
  return answerRequest({ ...deps, operations: createSeriesOperations(deps) }, request)
}

function ask(content: object, sessionId?: string) {
  return carryOut(requestOf(content, sessionId))
}

async function scheduled(sessionId?: string): Promise<string> {
  await ask({ action: 'schedule_task', text: 'water the plants', cron: '0 9 * * 1-5' }, sessionId)
  return `t-r${ordinal}`
}

describe('what an agent asks', () => {
  it('is scheduled by the clock of its user, stored as an instant, and told back in the same clock', async () => {
    const answer = await ask({ action: 'schedule_task', text: 'call Anna', at: 'tomorrow 9:00' })
    expect(answer).toEqual({
      status: 'ok',
      text: `Task t-r${ordinal}: once, by the clock of Europe/Berlin. It runs:\n- Fri 2030-01-11 09:00:00 +01:00 (in 21 h)`,
    })
    const series = await store.getSeries(`t-r${ordinal}`)
    expect(series).toMatchObject({
      plan: { schedule: { kind: 'once', atMs: Date.UTC(2030, 0, 11, 8) } },
      kind: 'task',
      sessionId: 'a/main',
      sourceSessionId: 'a/main',
    })
  })

  it('is told the next three of what recurs, and what a change of the clocks makes of them', async () => {
    const answer = await ask({ action: 'schedule_task', text: 'night', cron: '30 2 31 3 *', end: '2033-01-01 00:00' })
    expect(answer.text.split('\n')).toEqual([
      `Task t-r${ordinal}: 30 2 31 3 *, by the clock of Europe/Berlin. It runs:`,
      '- Sun 2030-03-31 03:00:00 +02:00 (in 79 d 14 h); clocks go forward: its time does not exist that day, so it runs at 03:00, right after',
      '- Mon 2031-03-31 02:30:00 +02:00 (in 444 d 13 h)',
      '- Wed 2032-03-31 02:30:00 +02:00 (in 810 d 13 h)',
    ])
  })

  it.each([
    ['no time', { text: 'x' }, /Say when/],
    ['two times', { text: 'x', at: 'tomorrow 9:00', every: '1h' }, /not several/],
    ['an ambiguous one', { text: 'x', at: 'tomorrow at 9' }, /9:00 or 21:00/],
    ['one that is gone', { text: 'x', at: '2029-01-01 09:00' }, /ago/],
    ['one that never comes', { text: 'x', cron: '0 0 30 2 *' }, /never/],
    ['a zone that is none', { text: 'x', every: '1h', timeZone: 'Mars/Olympus' }, /Mars\/Olympus/],
    ['no text', { text: ' ', every: '1h' }, /text/i],
  ])('is refused with %s, in words that help, and nothing is made', async (_, request, words) => {
    expect(await ask({ action: 'schedule_task', ...request })).toMatchObject({
      status: 'refused',
      text: expect.stringMatching(words),
    })
    expect(await store.listSeries({ limit: 10 })).toEqual([])
  })

  it('is listed, updated, paused, resumed and cancelled', async () => {
    const task = await scheduled()
    expect((await ask({ action: 'list_tasks' })).text).toBe(
      `- ${task}: 0 9 * * 1-5 (Europe/Berlin); next Fri 2030-01-11 09:00:00 +01:00 (Europe/Berlin), in 21 h; water the plants`,
    )
    const updated = await ask({ action: 'update_task', task, cron: '0 18 * * *', text: 'read' })
    expect(updated.text).toContain('- Thu 2030-01-10 18:00:00 +01:00 (in 6 h)')
    expect((await ask({ action: 'pause_task', task })).text).toContain('is paused')
    expect(await store.getSeries(task)).toMatchObject({ state: 'paused', because: 'its agent paused it' })
    expect((await ask({ action: 'list_tasks', state: 'paused' })).text).toContain('paused; read')
    expect((await ask({ action: 'resume_task', task })).text).toContain('- Thu 2030-01-10 18:00:00')
    expect((await ask({ action: 'cancel_task', task })).text).toContain('never runs again')
    expect((await ask({ action: 'list_tasks' })).text).toBe('There are no tasks in this session.')
    expect(await ask({ action: 'resume_task', task })).toMatchObject({ status: 'refused' })
  })

  it('(G8) reaches no task of another session, and is not told that there is one', async () => {
    const task = await scheduled('b/main')
    const before = await store.getSeries(task)
    for (const action of ['update_task', 'pause_task', 'resume_task', 'cancel_task']) {
      const answer = await ask({ action, task, ...(action === 'update_task' ? { text: 'mine now' } : {}) })
      expect(answer).toMatchObject({ status: 'refused', text: expect.stringContaining('no task') })
      const none = await ask({ action, task: 't-none', ...(action === 'update_task' ? { text: 'x' } : {}) })
      expect(none.text.replace('t-none', task)).toBe(answer.text)
    }
    expect(await store.getSeries(task)).toEqual(before)
    expect((await ask({ action: 'list_tasks' })).text).toBe('There are no tasks in this session.')
  })

  it('is done once, also when the host dies before it has said so', async () => {
    const made = requestOf({ action: 'schedule_task', text: 'x', after: '2h' })
    const first = await carryOut(made)
    deps = { ...deps, world: { ...deps.world, now: () => NOW + 60_000 } }
    expect((await carryOut(made)).text.split('\n')[0]).toBe(first.text.split('\n')[0])
    expect(await store.listSeries({ limit: 10 })).toHaveLength(1)
    const task = `t-r${made.ordinal}`
    for (const action of ['pause_task', 'resume_task', 'cancel_task']) {
      const request = requestOf({ action, task })
      expect(await carryOut(request)).toMatchObject({ status: 'ok' })
      expect(await carryOut(request)).toMatchObject({ status: 'ok' })
    }
  })

  it('cannot fill the house: a session has so many open tasks and no more', async () => {
    for (let made = 0; made < 100; made += 1) await scheduled()
    expect(await ask({ action: 'schedule_task', text: 'x', every: '1h' })).toMatchObject({
      status: 'refused',
      text: expect.stringContaining('100 tasks already'),
    })
    const listed = await ask({ action: 'list_tasks' })
    expect(listed.text.split('\n')).toHaveLength(51)
    expect(listed.text).toContain('There are more')
  })
})

describe('an agent on a disk below its floor', () => {
  it('is told that nothing new is taken, and may do all else with what there is', async () => {
    const task = await scheduled()
    const asked = requestOf({ action: 'schedule_task', text: 'once more', at: 'tomorrow 9:00' })
    expect((await carryOut(asked)).status).toBe('ok')
    disk = { ...disk, isLow: true }
    // Carried out before a crash: asked again, it is there.
    expect((await carryOut(asked)).status).toBe('ok')
    const refusal = { status: 'refused', text: expect.stringMatching(/^The disk has 5 bytes free/) }
    expect(await ask({ action: 'schedule_task', text: 'call Anna', at: 'tomorrow 9:00' })).toMatchObject(refusal)
    expect(await ask({ action: 'update_task', task, text: 'water them twice' })).toMatchObject(refusal)
    for (const action of ['pause_task', 'resume_task', 'cancel_task']) {
      expect((await ask({ action, task })).status).toBe('ok')
    }
    expect((await ask({ action: 'list_tasks' })).status).toBe('ok')
  })
})
