import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type CliResult, runInside } from '../cli/cli-harness.ts'
import { ask, cliOf } from './clients.ts'
import { cleanUp, makeDataDir, shellGroup, startHost, type TestHost } from './harness.ts'

afterEach(cleanUp)

const groups = { shell: shellGroup('process') }
const TWO_MB = 'x'.repeat(2 * 1024 * 1024)
const BROKEN_UTF8 = Uint8Array.of(0x61, 0xff, 0x62)
const MAIN = '/v1/sessions/shell/main/messages'

function yesterday(): string {
  return new Date(Date.now() - 24 * 3_600_000).toISOString()
}

/** What stands in the store and must not change. */
async function storedIn(test: TestHost): Promise<unknown> {
  return { sessions: await test.host.listSessions({}), journal: await test.host.lastEventId() }
}

/** The host is as well as before: it answers, and the next message is worked on. */
async function expectUnharmed(test: TestHost): Promise<void> {
  expect((await ask(test, 'POST', MAIN, { text: 'echo fine' })).status).toBe(202)
  await test.untilType('message:completed')
  expect(test.replies()).toEqual(['fine'])
  expect((await test.host.health()).problems).toEqual([])
}

function errorOf({ stderr }: CliResult): { code: string; message: string; cure: string; fields: object } {
  return (JSON.parse(stderr) as { error: { code: string; message: string; cure: string; fields: object } }).error
}

describe('bad input on the command line', () => {
  const cases: [
    what: string,
    args: readonly string[],
    code: string,
    exit: number,
    words: RegExp,
    stdin?: Uint8Array,
  ][] = [
    ['an empty text', ['shell', ''], 'TEXT_EMPTY', 2, /text is empty/],
    ['a text of blanks', ['shell', ' \n\t'], 'TEXT_EMPTY', 2, /text is empty/],
    ['an empty standard input', ['shell', '-'], 'TEXT_EMPTY', 2, /text is empty/, new Uint8Array()],
    ['2 MB on standard input', ['shell', '-'], 'TEXT_TOO_LARGE', 2, /at most 1MiB/, Buffer.from(TWO_MB)],
    ['2 MB as an argument', ['shell', TWO_MB], 'TEXT_TOO_LARGE', 2, /2097152 bytes.*at most 1MiB/],
    ['invalid UTF-8', ['shell', '-'], 'TEXT_NOT_UTF8', 2, /byte offset 1\b/, BROKEN_UTF8],
    ['half a character', ['shell', 'a\ud800b'], 'TEXT_NOT_UTF8', 2, /not valid Unicode/],
    ['an unknown group', ['shall', 'hi'], 'GROUP_UNKNOWN', 3, /"shall".*shell/],
    ['a session that climbs', ['shell/../x', 'hi'], 'SESSION_NAME_INVALID', 2, /shell\/\.\.\/x/],
    ['a session of dots', ['shell/..', 'hi'], 'SESSION_NAME_INVALID', 2, /shell\/\.\./],
    ['an escaped session', ['shell/%2e%2e', 'hi'], 'SESSION_NAME_INVALID', 2, /%2e%2e/],
    ['a NUL in a session', ['shell/a\0b', 'hi'], 'SESSION_NAME_INVALID', 2, /a\\u0000b/],
    ['a NUL in an id', ['shell', 'hi', '--id', 'a\0b'], 'MESSAGE_ID_INVALID', 2, /a\\u0000b/],
    ['a time past', ['shell', 'hi', '--after', yesterday()], 'TIME_IN_PAST', 2, /is past/],
    ['a time without a zone', ['shell', 'hi', '--after', '2030-01-31T09:00:00'], 'TIME_WITHOUT_ZONE', 2, /zone/],
    ['a time that is none', ['shell', 'hi', '--after', 'soon'], 'TIME_INVALID', 2, /"soon" is no time/],
    ['a time too far', ['shell', 'hi', '--after', '2999-01-01T00:00:00Z'], 'TIME_TOO_FAR', 2, /too far ahead/],
  ]

  it('names field, value and cure, stores nothing and leaves the host well', async () => {
    const test = await startHost(groups)
    const cli = await cliOf(test, groups)
    const before = await storedIn(test)
    for (const [what, args, code, exit, words, stdin] of cases) {
      const result = await cli(['send', ...args, '--json'], stdin === undefined ? {} : { stdin: [stdin] })
      expect({ what, exit: result.code, stdout: result.stdout }).toEqual({ what, exit, stdout: '' })
      const error = errorOf(result)
      expect({ what, code: error.code, message: error.message }).toEqual({
        what,
        code,
        message: expect.stringMatching(words),
      })
      expect({ what, cure: error.cure }).toEqual({ what, cure: expect.stringMatching(/\w{3}/) })
      expect({ what, fields: error.fields }).toEqual({
        what,
        fields: expect.objectContaining({ field: expect.any(String) }),
      })
    }
    expect(await storedIn(test)).toEqual(before)
    await expectUnharmed(test)
  })

  it('names both errors of a configuration, and starts nothing with it', async () => {
    const dir = await makeDataDir()
    const config = { dataDir: 'data', groups: { ops: { agent: { command: [] } } }, sweep: { intervall: '1m' } }
    await writeFile(join(dir, 'sessiond.config.json'), JSON.stringify(config))
    for (const args of [['up'], ['send', 'ops', 'hi'], ['sessions']]) {
      const { code, stderr } = await runInside(dir, args)
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('groups.ops.agent.command') })
      expect(stderr).toMatch(/sweep\.intervall is no option\. Did you mean interval/)
    }
    expect(existsSync(join(dir, 'data'))).toBe(false)
  })
})

describe('bad input over HTTP', () => {
  const texts: [what: string, path: string, body: unknown, status: number, code: string, words: RegExp][] = [
    ['an empty text', MAIN, { text: '' }, 400, 'TEXT_EMPTY', /text is empty/],
    ['no text', MAIN, {}, 400, 'BAD_REQUEST', /field text/],
    ['a text that is none', MAIN, { text: 7 }, 400, 'BAD_REQUEST', /field text/],
    ['2 MB', MAIN, { text: TWO_MB }, 413, 'BODY_TOO_LARGE', /over 2097152 bytes/],
    ['1.5 MB', MAIN, { text: TWO_MB.slice(2 ** 19) }, 413, 'TEXT_TOO_LARGE', /1572864 bytes/],
    ['invalid UTF-8', MAIN, Buffer.from('{"text":"a\u00ffb"}', 'latin1'), 400, 'TEXT_NOT_UTF8', /not valid UTF-8/],
    ['half a character', MAIN, '{"text":"a\\ud800b"}', 400, 'TEXT_NOT_UTF8', /not valid Unicode/],
    ['an unknown group', '/v1/sessions/shall/main/messages', { text: 'x' }, 404, 'GROUP_UNKNOWN', /"shall".*shell/],
    ['an unknown field', MAIN, { text: 'x', aftr: '1m' }, 400, 'BAD_REQUEST', /"aftr".*did you mean after/],
    ['half a body', MAIN, '{"text":', 400, 'BAD_REQUEST', /not valid JSON/],
    ['a time past', MAIN, { text: 'x', after: yesterday() }, 400, 'TIME_IN_PAST', /is past/],
    ['no zone', MAIN, { text: 'x', after: '2030-01-31T09:00:00' }, 400, 'TIME_WITHOUT_ZONE', /zone/],
    ['a NUL in a session', '/v1/sessions/shell/a%00b/messages', { text: 'x' }, 400, 'SESSION_NAME_INVALID', /session/],
    ['a NUL in an id', MAIN, { text: 'x', id: 'a\0b' }, 400, 'MESSAGE_ID_INVALID', /field id/],
  ]

  it('is refused with the field, stores nothing and leaves the host well', async () => {
    const test = await startHost(groups)
    const before = await storedIn(test)
    for (const [what, path, body, status, code, words] of texts) {
      const answer = await ask(test, 'POST', path, body)
      expect({ what, status: answer.status, error: answer.body.error }).toEqual({
        what,
        status,
        error: { code, message: expect.stringMatching(words), cure: expect.any(String), fields: expect.any(Object) },
      })
    }
    expect(await storedIn(test)).toEqual(before)
    await expectUnharmed(test)
  })

  it('(G1) no spelling of a path leads out of the sessions', async () => {
    const test = await startHost(groups)
    const before = await storedIn(test)
    for (const name of [
      '..',
      '../x',
      '%2e%2e',
      '%2e%2e%2fx',
      '..%5cx',
      '%252e%252e',
      '.',
      'a%2f..%2fb',
      '%00',
      'x%20y',
    ]) {
      // Written by hand: any client of ours would tidy the path up first.
      const status = await statusOf(test, `/v1/sessions/shell/${name}/messages`)
      expect({ name, isRefused: status === 400 || status === 404 }).toEqual({ name, isRefused: true })
    }
    expect(await storedIn(test)).toEqual(before)
    expect(existsSync(join(test.dataDir, 'sessions'))).toBe(false)
    await expectUnharmed(test)
  })

  it('takes the sound messages of a batch and refuses the bad ones, each by itself', async () => {
    const test = await startHost(groups)
    const good = { group: 'shell', text: 'echo fine' }
    const bad = [
      { ...good, session: '../x' },
      { ...good, text: '' },
      { ...good, group: 'nope' },
    ]
    const answer = await ask(test, 'POST', '/v1/messages', { messages: [...bad, good, { ...good, after: 'soon' }] })
    const results = answer.body.outcomes as { error?: { code: string } }[]
    expect(results.map((result) => result.error?.code)).toEqual([
      'SESSION_NAME_INVALID',
      'TEXT_EMPTY',
      'GROUP_UNKNOWN',
      undefined,
      'TIME_INVALID',
    ])
    await test.untilType('message:completed')
    expect(test.replies()).toEqual(['fine'])
    expect(await test.host.listSessions({})).toHaveLength(1)
  })
})

/** Status of a POST whose path goes over the wire as written. */
async function statusOf(test: TestHost, path: string): Promise<number> {
  const token = (await readFile(join(test.dataDir, 'api-token'), 'utf8')).trim()
  const { hostname, port, host } = new URL(test.host.apiUrl ?? '')
  const socket = connect(Number(port), hostname)
  const body = '{"text":"x"}'
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
}
