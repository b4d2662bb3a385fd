import { describe, expect, it } from 'vitest'
import { runLine } from '../model/journal.ts'
import type { Run } from '../model/run.ts'
import { tellRun } from './tell-run.ts'

const AT_MS = Date.UTC(2030, 0, 31, 9)

const run: Run = {
  sessionId: 'shell/main',
  group: 'shell',
  epoch: 7,
  name: 'sessiond-shell.main-7',
  runtime: 'process',
  state: 'gone',
  handle: { runtime: 'process', id: '1:1' },
  intendedAtMs: AT_MS,
  startedAtMs: AT_MS,
  firstClaimAtMs: AT_MS,
  lastActiveAtMs: AT_MS,
  stopIntendedAtMs: AT_MS + 300_000,
  killSentAtMs: null,
  end: 'tool-overdue',
  endEvidence: null,
  exit: { code: 143, signal: null, oomKilled: false },
  endedAtMs: AT_MS + 301_000,
  takenSeq: 0,
}

const killed = (end: Run['end'], endEvidence: Run['endEvidence']) => tellRun({ ...run, end, endEvidence }, [], null)[1]

describe('tellRun', () => {
  it('says when it began, why and when it was asked to end, and when it was gone', () => {
    const endEvidence = { line: 'stuck.toolSilent', silentForMs: 270_001, limitMs: 270_000, tool: 'Bash' }
    expect(tellRun({ ...run, endEvidence }, [], null)).toEqual([
      'Run 7 of shell/main (process) was started at 2030-01-31 09:00:00 UTC.',
      'It was asked to end at 2030-01-31 09:05:00 UTC because tool "Bash" had declared no time, and for 4m30s neither reported, computed nor transferred anything (stuck.toolSilent allows 4m30s).',
      'Its exit was confirmed at 2030-01-31 09:05:01 UTC: code 143.',
    ])
  })

  it.each<[Run['end'], Record<string, unknown>, string]>([
    ['never-started', { line: 'stuck.start' }, 'it gave no sign of life for 50s after it was let go (stuck.start'],
    ['frozen', { line: 'stuck.frozen' }, 'its loop did not turn: no beat for 50s (stuck.frozen allows 45s)'],
    ['tool-overdue', { line: 'stuck.toolGrace', tool: 'T' }, 'tool "T" had outlived the time it declared by 50s'],
    ['tool-overdue', { line: 'stuck.busyCeiling', tool: 'T' }, 'reported nothing for 50s, however much it computed'],
    ['tool-overdue', { line: 'stuck.toolBlind', tool: 'T' }, 'and nobody can see what it does (stuck.toolBlind'],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'request' },
      'because it had asked its model, and nothing was heard of it for 50s (stuck.modelSilent',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'agent' },
      'because its handler said nothing of what it does, and nothing was heard of it for 50s (stuck.modelSilent',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'stream' },
      'because its model had begun to answer, and then nothing was heard of it for 50s',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'retry' },
      'because it waited to ask its model again, and nothing was heard of it for 50s, the time it was held off not counted (',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'rate-limit' },
      'because it waited for the end of a rate limit, and nothing was heard of it for 50s, the time it was held off not',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent', wait: 'outage' },
      'because it waited for the end of an outage of its provider, and nothing was heard of it for 50s, the time it was',
    ],
    [
      'silent',
      { line: 'stuck.modelSilent' },
      'because it waited, and nothing was heard of it for 50s (stuck.modelSilent',
    ],
    [
      'silent',
      { line: 'stuck.modelPinging', wait: 'request' },
      'because it had asked its model, and nothing but keep-alives came for 50s (stuck.modelPinging',
    ],
    [
      'silent',
      { line: 'stuck.silent', messageId: 'm1' },
      'it held message m1, had nothing open that it waited for, and for 50s neither reported, computed nor transferred',
    ],
    [
      'silent',
      { line: 'stuck.busyCeiling', messageId: 'm1' },
      'and reported nothing for 50s, however much it computed (stuck.busyCeiling',
    ],
    [
      'silent',
      { line: 'stuck.toolBlind', messageId: 'm1' },
      'and reported nothing for 50s, and nobody can see what it does (stuck.toolBlind',
    ],
    ['deaf', { line: 'stuck.deaf' }, 'it beat, but took none of its due messages for 50s (stuck.deaf'],
    [
      'claim-silent',
      { policy: 'classic', messageId: 'm1' },
      'no heartbeat for 50s after it took message m1 (the classic policy allows 45s)',
    ],
    ['ceiling', { policy: 'classic' }, 'it gave no heartbeat at all for 50s (the classic policy'],
    ['operator-stop', {}, 'because the run was stopped by a person'],
  ])('says why for %s %j', (end, evidence, words) => {
    expect(killed(end, { silentForMs: 50_000, limitMs: 45_000, ...evidence })).toContain(words)
  })

  it('says what became of each message', () => {
    const lines = [
      runLine('message:claimed', AT_MS, run, {}, 'm1'),
      runLine('run:stopRequested', AT_MS, run, {}),
      runLine('message:retried', AT_MS, run, { because: 'tool-overdue', tries: 1, processAfterMs: AT_MS }, 'm1'),
      runLine('message:failed', AT_MS, run, { because: 'x', failure: 'TRIES_EXHAUSTED', deadLetter: true }, 'm2'),
    ].map((line, id) => ({ id, ...line }))
    expect(tellRun(run, lines, null).slice(3)).toEqual([
      'Message m1 was taken by run 7 at 2030-01-31 09:00:00 UTC.',
      'Message m1 was handed back (tool-overdue): 1 try is spent, to be tried again from 2030-01-31 09:00:00 UTC on.',
      'Message m2 ended at 2030-01-31 09:00:00 UTC: TRIES_EXHAUSTED (x). It waits as a dead letter until someone replays or drops it.',
    ])
  })

  it('says how one ended that nobody stopped, and of one that goes on that it does', () => {
    const own = {
      ...run,
      stopIntendedAtMs: null,
      end: 'exited' as const,
      exit: { code: 137, signal: null, oomKilled: true },
    }
    expect(tellRun(own, [], null)[1]).toBe('It ended by itself at 2030-01-31 09:05:01 UTC: code 137, out of memory.')
    expect(tellRun({ ...own, state: 'running', end: null }, [], null)[1]).toBe(
      'It is running, and nothing has asked it to end.',
    )
  })

  it('says that it had to be killed, and when it would not die', () => {
    const killSentAtMs = AT_MS + 310_000
    expect(tellRun({ ...run, killSentAtMs }, [], null)[1]).toContain('It did not within 10s, and was killed.')
    expect(tellRun({ ...run, killSentAtMs, state: 'unkillable' }, [], null)[2]).toContain('It survived SIGKILL')
  })
})
