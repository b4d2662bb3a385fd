import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { createHost, type Host } from '../../src/index.ts'
import { cleanUp, makeDataDir, shellGroup, textOf } from './harness.ts'

let host: Host
afterEach(async () => {
  await host.stop()
  await cleanUp()
})

async function makeHost(): Promise<Host> {
  const options = { dataDir: await makeDataDir(), groups: { shell: shellGroup('process') } }
  return createHost(options, { logger: pino({ level: 'silent' }), listen: false })
}

async function answerTo(text: string): Promise<string> {
  const { messageId } = await host.send({ group: 'shell', text })
  for await (const event of host.events({ afterId: 0 })) {
    if (event.reply?.inReplyTo === messageId) return textOf(event.reply.content)
  }
  throw new Error('the host stopped before it answered')
}

it('a host can be started, stopped and started again, and refuses calls in between', async () => {
  host = await makeHost()
  const refused = { code: 'HOST_NOT_RUNNING', message: expect.stringContaining('start()') }
  await expect(host.send({ group: 'shell', text: 'echo early' })).rejects.toMatchObject(refused)
  await Promise.all([host.start(), host.start()])
  expect(await answerTo('echo one > file; echo one')).toBe('one')
  await host.stop()
  await host.stop()
  await expect(host.health()).rejects.toMatchObject(refused)
  expect(() => host.events({ afterId: 0 })).toThrow('not running')
  await host.start()
  expect(await answerTo('cat file')).toBe('one')
})

it('a stop asked for while the host starts is carried out after it', async () => {
  host = await makeHost()
  const started = host.start()
  await host.stop()
  await started
  await expect(host.health()).rejects.toMatchObject({ code: 'HOST_NOT_RUNNING' })
})

it('a start that fails leaves nothing open, and may be tried again', async () => {
  host = await makeHost()
  await host.start()
  const second = createHost(host.config, { logger: pino({ level: 'silent' }), listen: false })
  await expect(second.start()).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' })
  await host.stop()
  await second.start()
  expect((await second.health()).ok).toBe(true)
  await second.stop()
})
