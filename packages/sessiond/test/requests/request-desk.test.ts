import { FakeWorld } from '@sessiond/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import type { AgentRequest, RequestAnswer } from '../../src/model/request.ts'
import { RequestDesk } from '../../src/requests/request-desk.ts'

const OK: RequestAnswer = { status: 'ok', text: 'Done.' }

let world: FakeWorld
let desk: RequestDesk
let open: AgentRequest[]
let answered: [id: string, answer: RequestAnswer][]
let told: string[]
let errors: unknown[]
let answer: (request: AgentRequest) => Promise<RequestAnswer>

beforeEach(() => {
  world = new FakeWorld(0)
  open = []
  answered = []
  told = []
  errors = []
  answer = async () => OK
  desk = new RequestDesk({
    world,
    store: {
      listOpenRequests: async (limit) => open.slice(0, limit),
      async recordAnswer(ordinal, said) {
        const at = open.findIndex((request) => request.ordinal === ordinal)
        const [request] = open.splice(at, 1)
        answered.push([request?.id ?? '', said])
        return true
      },
    },
    answer: (request) => answer(request),
    onAnswered: (sessionId) => told.push(sessionId),
    onError: (error) => errors.push(error),
  })
})
afterEach(() => desk.close())

function come(...ids: string[]): void {
  for (const id of ids) {
    open.push({ ordinal: Number(id.slice(1)), id, sessionId: `g/${id}`, epoch: 1, content: '{}', createdAtMs: 0 })
  }
}

it('answers in order of arrival what an earlier host left open, and nothing before it is opened', async () => {
  come('q1', 'q2')
  desk.kick()
  await world.advance(0)
  expect(answered).toEqual([])
  desk.open()
  await world.advance(0)
  expect(answered.map(([id]) => id)).toEqual(['q1', 'q2'])
  expect(told).toEqual(['g/q1', 'g/q2'])
})

it('misses none that comes while it is at work', async () => {
  answer = async ({ id }) => {
    if (id === 'q1') {
      come('q2')
      desk.kick()
    }
    return OK
  }
  come('q1')
  desk.open()
  await world.advance(0)
  expect(answered.map(([id]) => id)).toEqual(['q1', 'q2'])
})

it('waits where the disk is full, and answers when there is room again', async () => {
  let isFull = true
  answer = async () => {
    if (isFull) throw new SessiondError('DISK_FULL', 'No room.')
    return OK
  }
  come('q1')
  desk.open()
  await world.advance(0)
  await world.advance(4_999)
  expect([answered, errors.length]).toEqual([[], 1])
  isFull = false
  await world.advance(1)
  expect(answered).toEqual([['q1', OK]])
})

it('refuses what meets a fault of the host’s own, and goes on with the next', async () => {
  answer = async ({ id }) => {
    if (id === 'q1') throw new TypeError('a bug')
    return OK
  }
  come('q1', 'q2')
  desk.open()
  await world.advance(0)
  expect(answered.map(([id, { status }]) => [id, status])).toEqual([
    ['q1', 'refused'],
    ['q2', 'ok'],
  ])
  expect(errors).toHaveLength(1)
})

it('leaves what is behind the request under way to the next host when it closes', async () => {
  answer = async () => {
    void desk.close()
    return OK
  }
  come('q1', 'q2')
  desk.open()
  await world.advance(0)
  expect(answered.map(([id]) => id)).toEqual(['q1'])
  expect(world.timerCount()).toBe(0)
})
