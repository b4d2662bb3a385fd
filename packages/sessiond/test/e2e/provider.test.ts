import { afterEach, expect, it } from 'vitest'
import { cleanUp, shellGroup, startHost } from './harness.ts'

afterEach(cleanUp)

it('(B16, D21) a rate limit one agent reports holds the others of its account back until it ends, and no others', async () => {
  const shared = shellGroup('process', { account: 'team', retry: { maxTries: 1, base: '20ms', max: '20ms' } })
  const groups = { one: shared, two: shared, other: shellGroup('process') }
  const test = await startHost(groups, { provider: { wait: '100ms', maxWait: '200ms' } })
  const text = 'test -e tried && exec echo limited; touch tried; echo "retry-after: 1.5; rate-limit" >&2; exit 75'
  await test.host.send({ group: 'one', id: 'limited', text })
  const parked = await test.untilType('account:parked')
  expect(parked.detail).toMatchObject({ account: 'team', sessionId: 'one/main', reason: 'rate-limit', troubles: 1 })
  for (const group of ['two', 'other']) await test.host.send({ group, id: group, text: `echo ${group}` })
  expect((await test.host.health()).accounts).toMatchObject([{ name: 'team', state: 'parked', reason: 'rate-limit' }])
  expect((await test.host.health()).ok).toBe(true)
  await test.untilType('message:completed', 3)
  const order = test.events.filter(({ type }) => type === 'message:completed').map(({ messageId }) => messageId)
  expect(order).toEqual(['other', 'two', 'limited'])
  const probed = await test.untilType('account:probed')
  expect(probed.detail).toMatchObject({ account: 'team', sessionId: 'two/main' })
  const parkedUntilMs = Number(parked.detail.parkedUntilMs)
  expect(probed.atMs).toBeGreaterThanOrEqual(parkedUntilMs)
  expect((await test.host.showMessage('limited')).message).toMatchObject({ tries: 0, processAfterMs: parkedUntilMs })
})

it('(D21) an outage nobody knows the end of is probed less and less often, and survives a restart of the host', async () => {
  const test = await startHost(
    { shell: shellGroup('process', { retry: { maxTries: 1 } }) },
    { provider: { wait: '200ms', maxWait: '1s' } },
  )
  const text = 'echo x >> tries; test -e mended && exec echo ok; echo "retry-later: outage" >&2; exit 75'
  await test.host.send({ group: 'shell', id: 'm', text })
  const parks = [await test.untilType('account:parked')]
  await test.restart()
  parks.push(await test.untilType('account:parked', 2), await test.untilType('account:parked', 3))
  expect(parks.map(({ detail }) => Number(detail.troubles))).toEqual([1, 2, 3])
  expect(parks.map(({ detail, atMs }) => Number(detail.parkedUntilMs) - atMs)).toEqual([200, 400, 800])
  expect((await test.host.showMessage('m')).message).toMatchObject({ status: 'pending', tries: 0 })
})

it('(B16) answers each of a pile of messages once, although the limit came in the midst of them', async () => {
  const test = await startHost({ shell: shellGroup('process', { retry: { maxTries: 1 } }) })
  const limit = 'test -e tried || { touch tried; echo "retry-after: 1; rate-limit" >&2; exit 75; }; echo 3'
  const texts = Array.from({ length: 12 }, (_, index) => (index === 3 ? limit : `echo ${index}`))
  await test.host.sendMany(texts.map((text) => ({ group: 'shell', text })))
  await test.untilType('account:ramped')
  await test.untilType('message:completed', 12)
  expect(test.replies().sort()).toEqual(texts.map((_, index) => String(index)).sort())
  const messages = await test.host.listMessages({ sessionId: 'shell/main' })
  expect(messages.map(({ tries, status }) => `${status} ${tries}`)).toEqual(texts.map(() => 'completed 0'))
})
