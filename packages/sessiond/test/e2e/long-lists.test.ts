import { afterEach, expect, it } from 'vitest'
import { cleanUp, shellGroup, startHost } from './harness.ts'

afterEach(cleanUp)

const MEBIBYTE = 2 ** 20

it('an answer holds some 8 MiB of texts at most, and the next page goes on behind it', async () => {
  const { host } = await startHost({ shell: shellGroup('process') })
  const text = 'x'.repeat(MEBIBYTE - 100)
  for (let nth = 1; nth <= 10; nth += 1) {
    await host.send({ group: 'shell', session: 'long', id: `m${nth}`, text, context: true })
  }
  const sessionId = 'shell/long'
  const page = await host.listMessages({ sessionId, limit: 1_000 })
  expect(page.map(({ id }) => id)).toEqual(['m10', 'm9', 'm8', 'm7', 'm6', 'm5', 'm4', 'm3'])
  const rest = await host.listMessages({ sessionId, beforeSeq: page.at(-1)?.seq ?? 0 })
  expect(rest.map(({ id }) => id)).toEqual(['m2', 'm1'])
  expect((await host.showSession(sessionId)).messages).toHaveLength(8)
})
