import { describe, expect, it } from 'vitest'
import { parseRequest } from './parse-request.ts'

describe('parseRequest', () => {
  it.each([
    [{ action: 'schedule_task', text: 'water', cron: '0 9 * * *', timeZone: null, maxRuns: 3 }],
    [{ action: 'list_tasks' }],
    [{ action: 'list_tasks', state: 'ended', after: 't-1' }],
    [{ action: 'update_task', task: 't-1', text: 'more' }],
    [{ action: 'cancel_task', task: 't-1' }],
  ])('reads %j', (content) => {
    expect(parseRequest(JSON.stringify(content))).toEqual(content)
  })

  it.each([
    [{ action: 'rm' }, /Known are schedule_task, list_tasks/],
    [{ action: 'schedule_task' }, /^text: /],
    [{ action: 'schedule_task', text: 7 }, /^text: /],
    [{ action: 'schedule_task', text: 'x', id: 'mine' }, /id/],
    [{ action: 'schedule_task', text: 'x', group: 'other' }, /group/],
    [{ action: 'pause_task', task: '' }, /^task: /],
    [{ action: 'pause_task', task: 'x'.repeat(200) }, /^task: /],
    [{ action: 'update_task', task: 't-1', overlap: 'maybe' }, /^overlap: /],
    [{ action: 'cancel_task', task: 't-1', constructor: 1 }, /constructor/],
    [[], /expected object/],
  ])('refuses %j and says why', (content, words) => {
    expect(parseRequest(JSON.stringify(content))).toMatchObject({ problem: expect.stringMatching(words) })
  })
})
