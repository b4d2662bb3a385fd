import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SessiondError } from '../../src/model/errors.ts'
import { type CliRun, makeDir, runInside, startOutside, writeConfig } from './cli-harness.ts'
import { startFakeApi } from './fake-api.ts'

const bytes = (text: string): Uint8Array[] => [Buffer.from(text, 'latin1')]

describe('a command line that is wrong', () => {
  it.each<[string, string[], CliRun, number, string]>([
    ['an unknown command', ['snd'], {}, 2, '(Did you mean send?)'],
    ['an unknown option', ['sessions', '--grup', 'x'], {}, 2, '(Did you mean --group?)'],
    ['a missing argument', ['show'], {}, 2, "missing required argument 'session'"],
    ['a surplus argument', ['show', 'ops', 'main'], {}, 2, 'too many arguments'],
    ['a limit of zero', ['sessions', '--limit', '0'], {}, 2, 'Write a whole number from 1 to 1000'],
    ['a run that is no number', ['logs', 'ops', '--run', 'last'], {}, 2, 'Write a whole number'],
    ['a wait without unit', ['send', 'ops', 'hi', '--wait', '10x'], {}, 2, "Write a duration such as '30s'"],
    ['a wait no timer can hold', ['send', 'ops', 'hi', '--wait', '25d'], {}, 2, '24d at most'],
    ['no command of dead', ['dead'], {}, 2, 'There is no command'],
    ['a sweep that is not once', ['sweep'], {}, 2, '--once'],
    ['(G1) a session that climbs', ['show', '../x'], {}, 2, 'SESSION_NAME_INVALID'],
    ['a session of dots', ['show', '..'], {}, 2, 'SESSION_NAME_INVALID'],
    ['a session with three parts', ['show', 'a/b/c'], {}, 2, 'SESSION_NAME_INVALID'],
    ['a session with NUL', ['show', 'a/b\0c'], {}, 2, '"a/b\\u0000c"'],
    ['a message id that climbs', ['cancel', '../../v1/sweep'], {}, 2, 'MESSAGE_ID_INVALID'],
    ['an id with a space', ['send', 'ops', 'hi', '--id', 'a b'], {}, 2, 'MESSAGE_ID_INVALID'],
    ['an empty text', ['send', 'ops', ''], {}, 2, 'TEXT_EMPTY'],
    ['a blank text from standard input', ['send', 'ops', '-'], { stdin: bytes(' \n') }, 2, 'TEXT_EMPTY'],
    ['a text that is no UTF-8', ['send', 'ops', '-'], { stdin: bytes('ab\xffc') }, 2, 'at byte offset 2'],
    ['a 2 MB text', ['send', 'ops', '-'], { stdin: [Buffer.alloc(2 ** 21, 'x')] }, 2, 'TEXT_TOO_LARGE'],
  ])('refuses %s and asks the host nothing', async (_, args, run, code, words) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const result = await runInside(dir.path, args, run)
    expect(result.stderr).toContain(words)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(api.host.calls).toEqual([])
  })

  it('stops reading standard input once it is too much', async () => {
    await using dir = await makeDir()
    await using _ = await startFakeApi(dir.path)
    const endless = (function* () {
      for (let read = 0; read < 10; read++) yield Buffer.alloc(2 ** 19, 'x')
      throw new Error('read on')
    })()
    expect((await runInside(dir.path, ['send', 'ops', '-'], { stdin: endless })).stderr).toContain('TEXT_TOO_LARGE')
  })

  it('tells a program of it as JSON on standard error', async () => {
    await using dir = await makeDir()
    const { code, stdout, stderr } = await runInside(dir.path, ['send', '--json', 'a/b/c', 'hi'])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'SESSION_NAME_INVALID', fields: { session: 'a/b/c' }, cure: expect.stringContaining('<group>') },
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

it.each([[['help', 'bogus', '--json']], [['dead', 'help', 'bogus', '--json']]])(
  '%s is one line of JSON',
  async (args) => {
    await using dir = await makeDir()
    const { code, stdout, stderr } = await runInside(dir.path, args)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  },
)

it("indents a run's last words, so that none of them passes for the host's", async () => {
  await using dir = await makeDir()
  await using api = await startFakeApi(dir.path)
  const { box, ...explanation } = await api.host.why({ sessionId: 'g/main' })
  const output = 'one\u001b[2K\r\nMessage m1 was completed at 2030-01-31 09:00:00 UTC.\n\n'
  api.host.why = async () => ({ ...explanation, box: box === null ? null : { ...box, output } })
  const { code, stdout } = await runInside(dir.path, ['why', 'g/main'])
  expect({ code, lines: stdout.split('\n') }).toEqual({
    code: 0,
    lines: [
      'Run 7 of g/main (process) was started.',
      'Its last words:',
      '  one\\e[2K\\r',
      '  Message m1 was completed at 2030-01-31 09:00:00 UTC.',
      '',
    ],
  })
})

describe('a host that cannot be asked', () => {
  it('says that there is no configuration', async () => {
    await using dir = await makeDir()
    expect(await runInside(dir.path, ['sessions'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('sessiond init'),
    })
  })

  it('names both errors of a configuration', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path, { runs: { max: 0 }, tymeZone: 'UTC' })
    const { code, stderr } = await runInside(dir.path, ['sessions'])
    expect(code).toBe(2)
    expect(stderr).toContain('runs.max is 0')
    expect(stderr).toContain('Did you mean timeZone?')
  })

  it('refuses to choose between two configurations', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    await writeFile(join(dir.path, 'sessiond.config.mjs'), '')
    const { code, stderr } = await runInside(dir.path, ['sessions'])
    expect({ code, isTold: /more than one.*\.mjs.*\.json/.test(stderr) }).toEqual({ code: 2, isTold: true })
  })

  it('needs no secrets to ask', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path, { groups: { ops: { agent: { command: ['sh'] }, env: { K: { fromEnv: 'K' } } } } })
    expect((await runInside(dir.path, ['sessions'])).code).toBe(4)
  })

  it('says that no host is running', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    const { code, stderr } = await runInside(dir.path, ['send', 'ops', 'hi'])
    expect({ code, isTold: stderr.includes('[HOST_NOT_RUNNING]') }).toEqual({ code: 4, isTold: true })
  })

  it('says that nothing answers although the lock is held', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    await api.stopListening()
    const { code, stderr } = await runInside(dir.path, ['sessions'])
    expect({ code, isTold: stderr.includes('ECONNREFUSED') }).toEqual({ code: 4, isTold: true })
  })

  it('passes on what the host says, with its cure', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    api.host.nextError = new SessiondError('SESSION_CLOSED', 'Session ops/main is closed.')
    expect(await runInside(dir.path, ['send', 'ops', 'hi'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: Session ops/main is closed. Send to another session name; a closed one stays closed. [SESSION_CLOSED]\n',
    })
    expect((await runInside(dir.path, ['show', 'ops/other'])).code).toBe(3)
    expect((await runInside(dir.path, ['send', 'unknown', 'hi'])).code).toBe(3)
  })
})

describe('commands that ask the host', () => {
  it.each<[string[], string, unknown[]]>([
    [['send', 'ops/side', 'hi'], 'send', [{ group: 'ops', session: 'side', text: 'hi' }]],
    [
      ['send', 'ops', 'hi', '--id', 'm9', '--after', '10m', '--context'],
      'send',
      [{ group: 'ops', session: 'main', text: 'hi', id: 'm9', after: '10m', context: true }],
    ],
    [['sessions', '--group', 'ops'], 'listSessions', [{ group: 'ops' }]],
    [['show', 'ops'], 'showSession', ['ops/main', undefined]],
    [['runs', 'ops', '--limit', '3'], 'listRuns', ['ops/main', 3]],
    [['logs', 'ops'], 'readRunLog', ['ops/main', undefined, undefined]],
    [['logs', 'ops', '--run', '4'], 'readRunLog', ['ops/main', 4, undefined]],
    [['dead', 'list', '--session', 'ops'], 'listDead', [{ sessionId: 'ops/main' }]],
    [['dead', 'show', 'delivery:5'], 'showDead', ['delivery:5']],
    [['dead', 'replay', 'm1'], 'replayDead', ['m1']],
    [['dead', 'drop', 'm1'], 'dropDead', ['m1']],
    [['stop', 'ops'], 'stopSession', ['ops/main']],
    [['cancel', 'm1'], 'cancelMessage', ['m1']],
    [['close', 'ops/side'], 'closeSession', ['ops/side']],
    [['sweep', '--once'], 'sweepOnce', [{ dryRun: false }]],
    [['sweep', '--once', '--dry-run'], 'sweepOnce', [{ dryRun: true }]],
    [['health'], 'health', []],
  ])('asks for `%j`', async (args, method, expected) => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const words = await runInside(dir.path, args)
    expect({ ...words, stdout: words.stdout !== '' }).toEqual({ code: 0, stdout: true, stderr: '' })
    expect(api.host.calls).toEqual([{ method, args: expected }])
    const json = await runInside(dir.path, [...args, '--json'])
    expect(typeof JSON.parse(json.stdout)).toBe('object')
    expect(json).toMatchObject({ code: 0, stderr: '' })
  })

  it('sends standard input whole and unchanged', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const halves = [Buffer.from('gr\u00fc'), Buffer.from('\u00dfe\n')]
    const split = [Buffer.concat(halves).subarray(0, 3), Buffer.concat(halves).subarray(3)]
    await runInside(dir.path, ['send', 'ops', '-'], { stdin: split })
    expect(api.host.calls[0]?.args).toMatchObject([{ text: 'gr\u00fc\u00dfe\n' }])
  })

  it('(H5) ends with 5 when the host is not well', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    api.host.healthy = false
    const { code, stdout } = await runInside(dir.path, ['health'])
    expect({ code, isTold: stdout.includes('the sweep is late') }).toEqual({ code: 5, isTold: true })
  })

  it("keeps a run's log from driving the terminal", async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const hostile = 'a\u001b]0;owned\u0007\u009b2J\u202ereversed\r\nend\t.'
    api.host.readRunLog = async () => ({ epoch: 1, text: hostile })
    const { stdout } = await runInside(dir.path, ['logs', 'ops'])
    expect(stdout).toBe('a\\e]0;owned\\x07\\x9b2J\\u202ereversed\\r\nend\t.\n')
    const json = (await runInside(dir.path, ['logs', 'ops', '--json'])).stdout
    expect(json).toMatch(/^[\x20-\x7e]+\n$/)
    expect(JSON.parse(json)).toEqual({ epoch: 1, text: hostile })
  })
})

describe('init', () => {
  it('writes a configuration that works, and never over one', async () => {
    await using dir = await makeDir()
    expect(await runInside(dir.path, ['init'])).toMatchObject({ code: 0 })
    const written = await readFile(join(dir.path, 'sessiond.config.ts'), 'utf8')
    expect(await runInside(dir.path, ['init'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[CONFIG_EXISTS]'),
    })
    expect(await readFile(join(dir.path, 'sessiond.config.ts'), 'utf8')).toBe(written)
    // A process of its own: it imports the file the way a user's does, `import … from 'sessiond'` included.
    await using doctor = startOutside(dir.path, ['doctor', '--json'])
    const { stdout, stderr } = await doctor.ended()
    expect(stderr).toBe('')
    expect(JSON.parse(stdout).checks).toContainEqual(expect.objectContaining({ name: 'configuration', ok: true }))
  })

  it('leaves a configuration of another kind alone', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    expect((await runInside(dir.path, ['init'])).code).toBe(1)
    expect(await readdir(dir.path)).toEqual(['sessiond.config.json'])
  })
})

describe('doctor', () => {
  it('(C8) looks without making anything', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path)
    const { stdout } = await runInside(dir.path, ['doctor'])
    expect(stdout).toContain('free: no host is running')
    expect(await readdir(dir.path)).toEqual(['sessiond.config.json'])
  })

  it('ends with 5 and names each problem with its cure', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path, {
      groups: { ops: { agent: { command: ['no-such-program-here'] } } },
      limits: { diskFloor: '1000000GiB' },
    })
    const { code, stdout } = await runInside(dir.path, ['doctor'], { env: { PATH: process.env.PATH ?? '' } })
    expect(code).toBe(5)
    expect(stdout).toMatch(/PROBLEM {2}disk: .*below the floor/)
    expect(stdout).toMatch(/PROBLEM {2}command of group ops.*\n.*-> Install the program/)
    expect(stdout).toMatch(/ok {7}lock: free/)
  })

  it('still looks at the rest of nothing when the configuration is wrong', async () => {
    await using dir = await makeDir()
    await writeConfig(dir.path, { runs: { max: 0 } })
    const { code, stdout } = await runInside(dir.path, ['doctor', '--json'])
    const { ok, checks } = JSON.parse(stdout)
    expect({ code, ok }).toEqual({ code: 5, ok: false })
    expect(checks).toContainEqual(expect.objectContaining({ name: 'configuration', ok: false }))
  })

  it('names the holder of the lock and asks it how it is', async () => {
    await using dir = await makeDir()
    await using api = await startFakeApi(dir.path)
    const { stdout } = await runInside(dir.path, ['doctor'])
    expect(stdout).toContain(`held by pid ${process.pid}`)
    expect(stdout).toContain(`answers at ${api.url}`)
  })
})
