import { describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import type { Message } from '../model/message.ts'
import type { Run, RunState } from '../model/run.ts'
import type { SessionFacts } from '../store/store.ts'
import type { LivenessObservation } from './decide-liveness.ts'
import { decideSession, type SessionDecision, type SessionObservation } from './decide-session.ts'

const policy = {
  stuck: { ...DEFAULT_STUCK, policy: 'classic', maxToolTimeoutMs: 7_200_000 },
  retry: { maxTries: 5, baseMs: 5_000, maxMs: 3_600_000, jitter: 'none', maxDeferMs: 86_400_000 },
  idleStopMs: 300_000,
  runs: { max: 10, maxStarting: 4, stopGraceMs: 10_000, killWaitMs: 10_000, cancelGraceMs: 10_000 },
} as const

const session: SessionFacts['session'] = {
  id: 'g/s',
  group: 'g',
  name: 's',
  status: 'open',
  timeZone: null,
  createdAtMs: 0,
  closedAtMs: null,
  archivedAtMs: null,
  epoch: 1,
  spawnFailures: 0,
  spawnNotBeforeMs: 0,
  lastSpawnError: null,
}

function runIn(state: RunState): Run {
  return {
    sessionId: 'g/s',
    group: 'g',
    epoch: 1,
    name: 'run-1',
    runtime: 'process',
    state,
    handle: { runtime: 'process', id: '1:1' },
    intendedAtMs: 0,
    startedAtMs: 0,
    firstClaimAtMs: null,
    lastActiveAtMs: 0,
    stopIntendedAtMs: null,
    killSentAtMs: null,
    end: null,
    endEvidence: null,
    exit: null,
    endedAtMs: null,
    takenSeq: 0,
  }
}

const claim = { id: 'm-1' } as Message

/** A run whose clocks all moved just now. */
const WELL: LivenessObservation = {
  seen: 'running',
  watchedForMs: 10_000_000,
  beatAgeMs: 0,
  progressAgeMs: 0,
  activityAgeMs: 0,
  claims: [],
  tools: [],
  wait: null,
  tries: 0,
  unheededForMs: null,
  idleForMs: null,
}

interface Change extends Partial<Omit<SessionObservation, 'facts'>> {
  readonly facts?: Partial<SessionFacts>
}

function observe(state: RunState | null, change: Change = {}): SessionObservation {
  const quiet = { watchedForMs: 1_000, heartbeatAgeMs: 1_000, claims: [], declaredToolMs: null, unheededForMs: null }
  return {
    nowMs: 1_000_000,
    seen: state === null ? null : { state: 'running' },
    clocks: state === null ? null : quiet,
    liveness: state === null ? null : WELL,
    keepsClocks: false,
    outbox: 'read',
    unreadableForMs: 0,
    stop: null,
    cancelAgeMs: null,
    idleForMs: 0,
    isMailboxBehind: false,
    isGroupConfigured: true,
    isStopRequested: false,
    isAdmitted: false,
    isEvicted: false,
    drain: 'none',
    disk: null,
    ...change,
    facts: {
      session,
      run: state === null ? null : runIn(state),
      barred: null,
      claimed: [],
      dueUnprojected: 0,
      projectedUnclaimed: 0,
      oldestDueAtMs: null,
      nextDueAtMs: null,
      ...change.facts,
    },
  }
}

function decided(state: RunState | null, change: Change = {}): string {
  const { action, because } = decideSession(observe(state, change), policy)
  return `${action} ${because}`
}

const due = { dueUnprojected: 1 }
const LOW = { isLow: true, freeBytes: 1, floorBytes: 10, wantedBytes: 11 }

describe('decideSession without a run', () => {
  it.each<[string, Change, string]>([
    ['nothing is due', {}, 'leave nothing-due'],
    ['work is due and there is no slot', { facts: due }, 'want-slot due'],
    ['work is due and there is a slot', { facts: due, isAdmitted: true }, 'start due'],
    ['the session is closed', { facts: { ...due, session: { ...session, status: 'closed' } } }, 'leave closed'],
    [
      '(D20) its group is gone',
      { facts: due, isAdmitted: true, isGroupConfigured: false },
      'leave group-not-configured',
    ],
    ['the host shuts down', { facts: due, isAdmitted: true, drain: 'finish-work' }, 'leave shutting-down'],
    ['the disk is low', { facts: due, disk: LOW }, 'leave disk-low'],
    [
      'the disk has become low since it was given a slot',
      { facts: due, isAdmitted: true, disk: LOW },
      'leave disk-low',
    ],
    ['the disk has room', { facts: due, isAdmitted: true, disk: { ...LOW, isLow: false } }, 'start due'],
    ['the disk is low and nothing is due', { disk: LOW }, 'leave nothing-due'],
    [
      'back-off has 1 ms left',
      { facts: { ...due, session: { ...session, spawnNotBeforeMs: 1_000_001 } }, isAdmitted: true },
      'leave spawn-back-off',
    ],
    [
      'back-off is just over',
      { facts: { ...due, session: { ...session, spawnNotBeforeMs: 1_000_000 } }, isAdmitted: true },
      'start due',
    ],
  ])('when %s', (_, change, expected) => {
    expect(decided(null, change)).toBe(expected)
  })
})

describe('decideSession with a run', () => {
  it.each<[string, RunState, Change, string]>([
    [
      '(D13) the runtime cannot be asked',
      'running',
      { seen: { state: 'unknown', because: 'x' } },
      'leave runtime-unknown: x',
    ],
    [
      '(D13) a stopping run cannot be asked',
      'stopping',
      { seen: { state: 'unknown', because: 'x' } },
      'leave runtime-unknown: x',
    ],
    [
      'it has exited',
      'running',
      { seen: { state: 'exited', exit: { code: 0, signal: null, oomKilled: false } } },
      'settle exited',
    ],
    ['it is gone', 'stopping', { seen: { state: 'gone' } }, 'settle gone'],
    ['(D2) an unkillable one is gone at last', 'unkillable', { seen: { state: 'gone' } }, 'settle gone'],
    ['its start got no handle', 'starting', { seen: null }, 'abort-start no-handle'],
    ['it was created but never let go', 'starting', { seen: { state: 'created' } }, 'abort-start never-let-go'],
    ['it was let go but not recorded', 'starting', {}, 'adopt-start running'],
    [
      'it would not die',
      'unkillable',
      { facts: due, stop: { sinceIntentMs: 99_999, sinceKillMs: 99_999, sent: 'SIGKILL' } },
      'leave unkillable',
    ],
    [
      'an earlier host gave it up, perhaps without its SIGKILL',
      'unkillable',
      { stop: { sinceIntentMs: 0, sinceKillMs: 0, sent: null } },
      'kill not-killed-by-this-host',
    ],
    [
      'an earlier host recorded its stop, perhaps without its SIGTERM',
      'stopping',
      { stop: { sinceIntentMs: 0, sinceKillMs: null, sent: null } },
      'ask-again not-asked-by-this-host',
    ],
    [
      'an earlier host recorded its kill, perhaps without its SIGKILL',
      'stopping',
      { stop: { sinceIntentMs: 0, sinceKillMs: 0, sent: 'SIGTERM' } },
      'kill not-killed-by-this-host',
    ],
    [
      'its grace runs',
      'stopping',
      { stop: { sinceIntentMs: 9_999, sinceKillMs: null, sent: 'SIGTERM' } },
      'leave stopping',
    ],
    [
      'its grace is over',
      'stopping',
      { stop: { sinceIntentMs: 10_000, sinceKillMs: null, sent: 'SIGTERM' } },
      'kill grace-over',
    ],
    [
      'it survived SIGKILL',
      'stopping',
      { stop: { sinceIntentMs: 99_999, sinceKillMs: 10_000, sent: 'SIGKILL' } },
      'quarantine would-not-die',
    ],
    [
      'its session was closed',
      'running',
      { facts: { session: { ...session, status: 'closed' } } },
      'stop session-closed',
    ],
    [
      'a cancel request still has time',
      'running',
      { cancelAgeMs: 9_999, facts: { claimed: [claim] } },
      'leave working',
    ],
    ['it ignores a cancel request', 'running', { cancelAgeMs: 10_000, facts: { claimed: [claim] } }, 'stop cancel'],
    ['more work is due', 'running', { facts: due }, 'project due'],
    ['its mailbox is behind', 'running', { isMailboxBehind: true }, 'project due'],
    ['it works', 'running', { facts: { claimed: [claim] }, idleForMs: 999_999 }, 'leave working'],
    [
      'it has not yet taken what it was given',
      'running',
      { facts: { projectedUnclaimed: 1 }, idleForMs: 999_999 },
      'leave handed-over',
    ],
    ['it idles a little', 'running', { idleForMs: 299_999 }, 'leave idle'],
    ['(D17) it idles for long', 'running', { idleForMs: 300_000 }, 'stop idle'],
    ['others wait for its slot', 'running', { idleForMs: 1, isEvicted: true }, 'stop idle'],
    ['others wait but it works', 'running', { facts: { claimed: [claim] }, isEvicted: true }, 'leave working'],
    [
      '(D20) it works and its group is gone',
      'running',
      { facts: { ...due, claimed: [claim] }, isGroupConfigured: false },
      'leave group-not-configured',
    ],
    [
      '(D20) a cancel must reach it although its group is gone',
      'running',
      { facts: { claimed: [claim] }, isGroupConfigured: false, isMailboxBehind: true },
      'project group-not-configured',
    ],
    ['(D20) its group is gone and it is done', 'running', { facts: due, isGroupConfigured: false }, 'stop idle'],
    [
      'it works while the host drains',
      'running',
      { facts: { claimed: [claim] }, drain: 'finish-work' },
      'leave draining',
    ],
    ['it idles while the host drains', 'running', { drain: 'finish-work' }, 'stop host-shutdown'],
    ['the drain is over', 'running', { facts: { claimed: [claim] }, drain: 'stop-now' }, 'stop host-shutdown'],
  ])('when %s', (_, state, change, expected) => {
    expect(decided(state, change)).toBe(expected)
  })

  it('says with a stop of a stuck run which claim was silent for how long', () => {
    const claims = [{ messageId: 'm-1', ageMs: 70_000, hasBeatenSince: false }]
    const clocks = { watchedForMs: 70_000, heartbeatAgeMs: null, claims, declaredToolMs: null, unheededForMs: null }
    expect(decideSession(observe('running', { clocks, facts: { claimed: [claim] } }), policy)).toMatchObject({
      action: 'stop',
      because: 'claim-silent',
      evidence: { silentForMs: 70_000, toleranceMs: 60_000, messageId: 'm-1', policy: 'classic' },
    })
  })

  it('judges by the clocks kept apart, if the policy wants it and the run keeps them', () => {
    const frozen = { liveness: { ...WELL, beatAgeMs: 45_001 }, keepsClocks: true }
    const byDefault = { ...policy, stuck: DEFAULT_STUCK }
    expect(decideSession(observe('running', frozen), byDefault)).toMatchObject({
      action: 'stop',
      because: 'frozen',
      evidence: { line: 'stuck.frozen', silentForMs: 45_001, limitMs: 45_000, policy: 'default' },
    })
    expect(decideSession(observe('running', frozen), policy)).toMatchObject({ action: 'leave' })
    expect(decideSession(observe('running', { ...frozen, keepsClocks: false }), byDefault)).toMatchObject({
      action: 'leave',
    })
  })

  it('judges by nothing it has not read: what the run says of itself may lie there', () => {
    const claims = [{ messageId: 'm-1', ageMs: 600_000 }]
    const silent = { ...WELL, claims, progressAgeMs: 600_000, activityAgeMs: 600_000 }
    const look = (change: Change) =>
      decideSession(
        observe('running', { liveness: silent, keepsClocks: true, facts: { claimed: [claim] }, ...change }),
        {
          ...policy,
          stuck: DEFAULT_STUCK,
        },
      )
    expect(look({})).toMatchObject({ action: 'stop', because: 'silent' })
    expect(look({ outbox: 'unread' }), 'looked into at once').toMatchObject({ action: 'leave', recheckInMs: 0 })
    expect(look({ outbox: 'unreadable', unreadableForMs: 1_800_000 })).toMatchObject({
      action: 'leave',
      recheckInMs: null,
    })
    expect(look({ outbox: 'unreadable', unreadableForMs: 1_800_001 })).toMatchObject({ action: 'stop' })
    const frozen = { ...silent, beatAgeMs: 45_001 }
    expect(look({ outbox: 'unreadable', liveness: frozen })).toMatchObject({ action: 'stop', because: 'frozen' })
  })

  it('sees without its word that a run is deaf', () => {
    const deaf = observe('running', { liveness: { ...WELL, unheededForMs: 120_001 } })
    expect(decideSession(deaf, { ...policy, stuck: DEFAULT_STUCK })).toMatchObject({ action: 'stop', because: 'deaf' })
  })

  it('comes back at the nearest of stuck, due and idle', () => {
    const soon = observe('running', { facts: { nextDueAtMs: 1_002_000 } })
    expect(decideSession(soon, policy)).toMatchObject({ action: 'leave', recheckInMs: 2_000 })
    expect(decideSession(observe('running', { idleForMs: 299_000 }), policy)).toMatchObject({ recheckInMs: 1_000 })
  })
})

describe('a session whose account is held back', () => {
  const barred = { account: 'a', state: 'parked', parkedUntilMs: 9, due: 2 } as const

  it.each<[string, SessionObservation, Partial<SessionDecision>]>([
    ['has no run', observe(null, { facts: { barred } }), { action: 'leave', because: 'account-parked' }],
    [
      'has no run, though it was given a slot',
      observe(null, { isAdmitted: true, facts: { barred: { ...barred, state: 'probing' } } }),
      { action: 'leave', because: 'account-probing' },
    ],
    ['has an idle run', observe('running', { facts: { barred } }), { action: 'stop', because: 'idle' }],
    [
      'has a run whose mailbox may hold what it was to be handed',
      observe('running', { isMailboxBehind: true, facts: { barred } }),
      { action: 'project' },
    ],
    [
      'has a run at work',
      observe('running', { facts: { barred, claimed: [claim] } }),
      { action: 'leave', because: 'working' },
    ],
    [
      'has a run with something in hand',
      observe('running', { facts: { barred, projectedUnclaimed: 1 } }),
      { action: 'leave', because: 'handed-over' },
    ],
  ])('%s', (_, seen, expected) => {
    expect(decideSession(seen, policy)).toMatchObject(expected)
  })
})
