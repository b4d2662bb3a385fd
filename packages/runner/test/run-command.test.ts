import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CommandEnd, type RunCommandOptions, runCommand } from '../src/agents/run-command.ts'
import { type RunnerWorld, realRunnerWorld } from '../src/world.ts'
import { HostSide, untilTrue } from './host-side.ts'

let host: HostSide

beforeEach(() => {
  host = new HostSide()
})

afterEach(() => {
  host.remove()
})

/** Waits a hundredth of the time: graces of seconds need not be sat through. */
const hasty: RunnerWorld = {
  ...realRunnerWorld,
  setTimer: (delayMs, fn) => realRunnerWorld.setTimer(delayMs / 100, fn),
}

/** Waits for ever: what comes to an end in it does so by itself. */
const patient: RunnerWorld = { ...realRunnerWorld, setTimer: () => () => {} }

function run(command: readonly string[], changes: Partial<RunCommandOptions> = {}): Promise<CommandEnd> {
  return runCommand({
    command,
    input: '',
    cwd: host.workDir,
    environment: { PATH: process.env.PATH },
    timeoutMs: 600_000,
    maxOutputBytes: 10_000,
    signal: new AbortController().signal,
    world: hasty,
    onErrorLine: () => {},
    ...changes,
  })
}

const sh = (script: string, changes?: Partial<RunCommandOptions>) => run(['sh', '-c', script], changes)
const node = (script: string, changes?: Partial<RunCommandOptions>) => run([process.execPath, '-e', script], changes)

describe('runCommand', () => {
  it('gives the text to stdin and takes stdout', async () => {
    const input = `ünï ${'x'.repeat(300_000)}`
    const { code, because, output } = await run(['cat'], { input, maxOutputBytes: 1_000_000 })
    expect([code, because]).toEqual([0, 'exited'])
    expect(output.text()).toBe(input)
  })

  it('runs where it is told to, with the environment it is given and no other', async () => {
    const { output } = await sh('pwd -P; env', { environment: { PATH: process.env.PATH, ONLY: 'this' } })
    expect(output.text()).toContain('/work\n')
    expect(output.text()).toContain('ONLY=this')
    expect(output.text()).not.toContain('HOME=')
  })

  it('does not pass the command through a shell', async () => {
    const { output } = await run(['echo', '$HOME; exit 1', '`id`'])
    expect(output.text()).toBe('$HOME; exit 1 `id`\n')
  })

  it('is none the worse for a command that does not read its input', async () => {
    expect((await run(['true'], { input: 'x'.repeat(1_000_000) })).code).toBe(0)
  })

  it('passes stderr on by the line', async () => {
    const lines: string[] = []
    await sh('echo one >&2; printf two >&2', { onErrorLine: (line) => lines.push(line) })
    expect(lines).toEqual(['one', 'two'])
  })

  it('tells exit codes and signals', async () => {
    expect(await sh('exit 3')).toMatchObject({ code: 3, signal: null, because: 'exited' })
    expect(await sh('kill -9 $$')).toMatchObject({ code: null, signal: 'SIGKILL', because: 'exited' })
  })

  it('rejects when there is no such program', async () => {
    await expect(run(['no-such-program-anywhere'])).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('keeps the beginning of a flood and stays small', async () => {
    const before = process.memoryUsage().rss
    const { output, code } = await sh('head -c 400000000 /dev/zero', { maxOutputBytes: 1_000, world: realRunnerWorld })
    expect(code).toBe(0)
    expect([output.isCut, output.text().length]).toEqual([true, 1_000])
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  })

  it('ends what takes too long', async () => {
    const end = await sh('trap "echo bye; exit 7" TERM; echo hi; sleep 600 & wait', {
      timeoutMs: 20_000,
      world: hasty,
    })
    expect(end).toMatchObject({ because: 'timeout' })
  })

  it('kills what ignores SIGTERM, with its children', async () => {
    // Its child holds stdout open and ignores the signal, too: only SIGKILL to the group ends the output.
    const script = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')
      require('child_process').spawn('sh', ['-c', "trap '' TERM; sleep 600"], { stdio: 'inherit' })`
    const end = await node(script, { timeoutMs: 60_000 })
    expect(end).toMatchObject({ signal: 'SIGKILL', because: 'timeout' })
  })

  it('ends the group when it is told to stop', async () => {
    const abort = new AbortController()
    const ended = sh('echo started >&2; sleep 600', { signal: abort.signal, onErrorLine: () => abort.abort() })
    expect(await ended).toMatchObject({ signal: 'SIGTERM', because: 'aborted' })
  })

  it('ends at once when it was told to stop before it began', async () => {
    expect(await sh('sleep 600', { signal: AbortSignal.abort() })).toMatchObject({ because: 'aborted' })
  })

  it('ends children that a command leaves behind', async () => {
    // The child holds stdout: in a world without time the end of the output can only come from its death.
    const end = await sh('sleep 600 & echo started', { world: patient })
    expect(end).toMatchObject({ code: 0, because: 'exited' })
    expect(end.output.text()).toBe('started\n')
  })

  it('does not wait for a process that has left the group', async () => {
    const script = `const child = require('child_process').spawn('sleep', ['600'], { detached: true, stdio: ['ignore', 1, 2] })
      require('fs').writeFileSync('pid', String(child.pid)); child.unref(); console.log('left')`
    const end = await node(script)
    process.kill(Number(readFileSync(join(host.workDir, 'pid'), 'utf8')), 'SIGKILL')
    expect(end.output.text()).toBe('left\n')
  })

  it('tells the first reason when several come together', async () => {
    const abort = new AbortController()
    const lines: string[] = []
    const ended = node(
      "process.on('SIGTERM', () => console.error('term')); console.error('up'); setInterval(() => {}, 1000)",
      { signal: abort.signal, timeoutMs: 2_000_000, onErrorLine: (line) => lines.push(line), world: realRunnerWorld },
    )
    await untilTrue(() => lines.includes('up'))
    abort.abort()
    expect(await ended).toMatchObject({ because: 'aborted', signal: 'SIGKILL' })
  })
})
