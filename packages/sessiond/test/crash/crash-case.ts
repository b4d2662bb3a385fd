import { existsSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { until } from '../../../testkit/src/until.ts'
import { compileConfig } from '../../src/config/compile-config.ts'
import type { HostOptions } from '../../src/config/options.ts'
import type { Programs } from './build-programs.ts'
import { checkDeliveries } from './check-deliveries.ts'
import { checkMailboxes } from './check-mailboxes.ts'
import { checkMessages } from './check-messages.ts'
import { checkRequests } from './check-requests.ts'
import { checkRuns } from './check-runs.ts'
import { checkTries } from './check-tries.ts'
import type { HostJob } from './crash-host.ts'
import type { CrashPlan, Life } from './crash-plan.ts'
import type { CrashRuntime } from './crash-runtime.ts'
import { type Evidence, readEvidence } from './evidence.ts'
import { type LivedLife, liveLife } from './host-life.ts'
import { endLeftovers, findLeftovers } from './leftovers.ts'
import type { ReplyReceiver } from './reply-receiver.ts'

const GROUP = 'crash'
const SINK = 'receiver'

export interface CaseTools {
  readonly programs: Programs
  readonly receiver: ReplyReceiver
  readonly runtime: CrashRuntime
}

/** What came of a case. */
export interface CaseResult {
  readonly plan: CrashPlan
  /** Empty: every invariant held. */
  readonly problems: readonly string[]
  readonly lives: readonly LivedLife[]
  /** Null when its files could not be read. */
  readonly evidence: Evidence | null
}

/** Lives through a case and checks what it left; never throws. */
export async function runCase(plan: CrashPlan, tools: CaseTools): Promise<CaseResult> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), `crash-${tools.runtime.name}-${plan.seed}-`)))
  const lives: LivedLife[] = []
  let evidence: Evidence | null = null
  try {
    const acked = await liveAll(plan, tools, dir, lives)
    evidence = readEvidence(dataDirOf(dir))
    const problems = await check(plan, tools, dir, { acked, evidence, lives })
    return { plan, problems, lives, evidence }
  } catch (error) {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { plan, problems: [words], lives, evidence: evidence ?? (await tryToRead(dir)) }
  } finally {
    await endLeftovers(compile(plan, tools, dir), installIdOf(dir), dir)
    await rm(dir, { recursive: true, force: true })
  }
}

/** Returns the ids that were acknowledged. */
async function liveAll(
  plan: CrashPlan,
  tools: CaseTools,
  dir: string,
  lives: LivedLife[],
): Promise<ReadonlySet<string>> {
  const acked = new Set<string>()
  let unheard: Life['messages'] = []
  for (const life of plan.lives) {
    const messages = [...(plan.sendsAgain ? unheard : []), ...life.messages]
    const options = optionsOf(plan, tools, dir, life.isStartBroken)
    const job: HostJob = { options, dataDir: dataDirOf(dir), group: GROUP, life: { ...life, messages } }
    const lived = await liveLife(tools.programs, job, dir)
    lives.push(lived)
    const heard = new Set<string>()
    for (const word of lived.words) {
      if (word.word === 'acked') acked.add(word.id)
      if (word.word === 'acked' || word.word === 'refused') heard.add(word.id)
    }
    unheard = messages.filter(({ id }) => !heard.has(id))
  }
  return acked
}

async function check(
  plan: CrashPlan,
  tools: CaseTools,
  dir: string,
  { acked, evidence, lives }: { acked: ReadonlySet<string>; evidence: Evidence; lives: readonly LivedLife[] },
): Promise<string[]> {
  const hostDeaths = lives.filter(({ diedAt }) => diedAt !== null).length
  const config = compile(plan, tools, dir)
  // A dead host's readers end by themselves, but not in the same instant.
  const leftovers = await until(async () => {
    const found = await findLeftovers(config, installIdOf(dir), dir)
    if (found.length > 0) throw new Error(found.join('; '))
    return found
  }).catch((error: Error) => [error.message])
  return [
    ...checkMessages(plan, { acked }, evidence),
    ...checkRuns(evidence),
    ...checkTries(plan, evidence),
    ...checkRequests(evidence),
    ...checkMailboxes(dataDirOf(dir), evidence),
    ...(plan.hasSink ? checkDeliveries(evidence, tools.receiver.receivedAt(sinkPath(dir)), hostDeaths) : []),
    ...leftovers,
  ]
}

function compile(plan: CrashPlan, tools: CaseTools, dir: string) {
  return compileConfig(optionsOf(plan, tools, dir, false), { env: {}, baseDir: dir })
}

function optionsOf(plan: CrashPlan, tools: CaseTools, dir: string, isBroken: boolean): HostOptions {
  const { runtime, programs, receiver } = tools
  const group = runtime.groupOf(programs, plan.agent, isBroken)
  return {
    dataDir: dataDirOf(dir),
    groups: { [GROUP]: { ...group, sinks: plan.hasSink ? [SINK] : [] } },
    sinks: plan.hasSink ? { [SINK]: { url: receiver.urlOf(sinkPath(dir)), base: 20 } } : {},
    mounts: { roots: [{ path: programs.dir }] },
    runs: { max: 4, stopGrace: plan.stopGraceMs, idleStop: plan.idleStopMs },
    retry: { base: 20, maxTries: plan.maxTries },
    // Told of by nobody: what a user is told here is about messages.
    spawn: { base: 100, max: 200, tellAfter: 100 },
    sweep: { interval: 1_000 },
    mailbox: { poll: 100 },
    limits: { diskFloor: 0 },
    log: { level: 'error' },
  }
}

function sinkPath(dir: string): string {
  return `/${dir.split('/').at(-1)}`
}

function dataDirOf(dir: string): string {
  return join(dir, 'data')
}

async function tryToRead(dir: string): Promise<Evidence | null> {
  try {
    return readEvidence(dataDirOf(dir))
  } catch {
    // The case failed for a reason that is told already.
    return null
  }
}

/** The label of the case's runs; empty when it never came to have one. */
function installIdOf(dir: string): string {
  const path = join(dataDirOf(dir), 'store.db')
  if (!existsSync(path)) return ''
  const store = new DatabaseSync(path, { readOnly: true })
  try {
    return String(store.prepare("SELECT value FROM meta WHERE key = 'install_id'").get()?.value ?? '')
  } finally {
    store.close()
  }
}
