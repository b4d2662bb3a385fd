import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { ask, spawnHost } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost, type TestHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }
const options = { groups, api: { port: 0 }, log: { level: 'silent' } } as const
const SEND = '/v1/sessions/shell/main/messages'

it('a host that finds its port taken leaves the agents at work to the one that comes up', async () => {
  const dataDir = await makeDataDir()
  await using first = await spawnHost({ dataDir, ...options })
  const text = 'until test -e go; do sleep 0.02; done; echo done'
  const reached = { dataDir, host: { apiUrl: first.outcome.apiUrl ?? null } } as TestHost
  expect((await ask(reached, 'POST', SEND, { id: 'm', text })).status).toBe(202)
  await untilClaimed(reached)
  await first[Symbol.asyncDispose]()

  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await using failed = await spawnHost({ dataDir, ...options, api: { port } })
  other.close()
  expect(failed.outcome).toMatchObject({ code: 'CONFIG_INVALID' })

  const test = await startHost(groups, { dataDir })
  await writeFile(join(dataDir, 'sessions/shell/main/work/go'), '')
  await test.untilType('message:completed')
  expect(test.replies()).toEqual(['done'])
  expect(test.events.filter((event) => event.type === 'run:intended')).toHaveLength(1)
})

async function untilClaimed(test: TestHost): Promise<void> {
  for (;;) {
    const { body } = await ask(test, 'GET', '/v1/messages/m')
    if ((body.message as { status?: string }).status === 'claimed') return
  }
}
