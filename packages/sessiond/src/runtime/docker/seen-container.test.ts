import { describe, expect, test } from 'vitest'
import { foundContainer, seenContainer } from './seen-container.ts'

const still = {
  Running: false,
  Paused: false,
  Restarting: false,
  OOMKilled: false,
  Dead: false,
  Pid: 0,
  ExitCode: 0,
  Error: '',
  StartedAt: '',
  FinishedAt: '',
}

function seen(state: Partial<typeof still> & { Status: string }) {
  return seenContainer({ State: { ...still, ...state } })
}

describe('seenContainer', () => {
  test.each([
    [{ Status: 'created' }, 'created'],
    [{ Status: 'configured' }, 'created'],
    // A start that failed leaves an exit code behind, though nothing has run.
    [{ Status: 'created', ExitCode: 127 }, 'created'],
    [{ Status: 'running', Running: true }, 'running'],
    [{ Status: 'paused', Running: true, Paused: true }, 'running'],
    [{ Status: 'restarting', Restarting: true }, 'running'],
    [{ Status: 'exited' }, 'exited'],
    [{ Status: 'dead', Dead: true }, 'exited'],
  ])('sees %j as %s', (state, expected) => {
    expect(seen(state).state).toBe(expected)
  })

  test.each([
    [0, null],
    [1, null],
    [128, null],
    [137, 'SIGKILL'],
    [143, 'SIGTERM'],
    [139, null],
  ])('tells exit code %i with signal %s', (ExitCode, signal) => {
    expect(seen({ Status: 'exited', ExitCode })).toEqual({
      state: 'exited',
      exit: { code: ExitCode, signal, oomKilled: false },
    })
  })

  test('(D15) tells a death for memory apart', () => {
    expect(seen({ Status: 'exited', ExitCode: 137, OOMKilled: true })).toMatchObject({ exit: { oomKilled: true } })
  })
})

describe('foundContainer', () => {
  const Labels = {
    'sessiond.install': 'i1',
    'sessiond.run': 'run-1',
    'sessiond.session': 'g/s',
    'sessiond.epoch': '3',
  }

  test.each([
    ['created', false],
    ['exited', false],
    ['dead', false],
    ['running', true],
    ['paused', true],
    ['removing', true],
    ['a state nobody has thought of', true],
  ])('a listed container that is %s runs: %s', (State, isRunning) => {
    expect(foundContainer({ Id: 'abc', Names: ['/run-1'], Labels, State }, 'i1')).toEqual({
      handle: { runtime: 'docker', id: 'abc' },
      name: 'run-1',
      sessionId: 'g/s',
      epoch: 3,
      isRunning,
    })
  })

  test.each([
    {},
    { ...Labels, 'sessiond.install': 'i10' },
    { ...Labels, 'sessiond.install': 'i' },
    { ...Labels, 'sessiond.install': 'I1' },
    { ...Labels, 'sessiond.install': ' i1' },
    { ...Labels, 'sessiond.install': 'i1\n' },
    { ...Labels, 'sessiond.install': '' },
    { 'sessiond.installation': 'i1' },
  ])('(D5) passes over what an engine lists of another install: %j', (labels) => {
    expect(foundContainer({ Id: 'abc', Names: ['/run-1'], Labels: labels, State: 'running' }, 'i1')).toBeNull()
  })

  test.each<[string[] | null, boolean]>([
    [['/run-1'], true],
    // Podman's spelling, one that is linked to under other names, and one that is being removed.
    [['run-1'], true],
    [['/other/alias', '/run-1'], true],
    [[], true],
    [null, true],
    [['/run-10'], false],
    [['/of-a-person'], false],
    [['/other/run-1'], false],
  ])('(D5) a container called %j with the labels of run-1 is ours: %s', (names, isOurs) => {
    const found = foundContainer({ Id: 'abc', Names: names as string[], Labels, State: 'running' }, 'i1')
    expect(found !== null).toBe(isOurs)
  })

  test.each(['0', 'x', '1e99', ''])('tells one of ours whose epoch is %j and that says no run by its id', (epoch) => {
    const labels = { 'sessiond.install': 'i1', 'sessiond.epoch': epoch }
    expect(foundContainer({ Id: 'abc', Names: ['/any'], Labels: labels, State: 'exited' }, 'i1')).toMatchObject({
      name: 'abc',
      sessionId: null,
      epoch: null,
    })
  })
})
