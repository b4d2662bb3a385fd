import { STEPS } from '@sessiond/runner/internal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BOUNDARIES } from './boundaries.ts'
import { buildPrograms, type Programs } from './build-programs.ts'
import { type CaseResult, type CaseTools, runCase } from './crash-case.ts'
import type { CrashRuntime } from './crash-runtime.ts'
import { describeCase } from './describe-case.ts'
import { planCase } from './plan-case.ts'
import { ReplyReceiver } from './reply-receiver.ts'

/** Names one seed to live through again, with everything it did. */
const ONLY_SEED = process.env.SESSIOND_CRASH_SEED

/**
 * More than 200 in both runtimes together: each boundary and each step is met several times, and every commit can wait
 * for them. More on request.
 */
const CASES = Number(process.env.SESSIOND_CRASH_CASES ?? 104)
const CASES_PER_TEST = 13
/** For a machine so busy that everything takes ten times as long. */
const TEST_TIMEOUT_MS = 600_000

/** Declares the crash tests of one runtime: seeded cases, and that together they left no boundary and no step out. */
export function exerciseCrashes(runtime: CrashRuntime): void {
  const results: CaseResult[] = []
  let programs: Programs
  let receiver: ReplyReceiver

  beforeAll(async () => {
    programs = await buildPrograms()
    receiver = await ReplyReceiver.listen()
  })

  afterAll(async () => {
    await receiver.close()
    await programs.dispose()
  })

  const live = async (seed: number): Promise<CaseResult> => {
    const tools: CaseTools = { programs, receiver, runtime }
    const result = await runCase(planCase(seed, runtime.size), tools)
    results.push(result)
    return result
  }

  if (ONLY_SEED !== undefined) {
    test(`keeps its promises in case ${ONLY_SEED}`, { timeout: TEST_TIMEOUT_MS }, async () => {
      const result = await live(Number(ONLY_SEED))
      console.log(describeCase(result, runtime.name))
      expect(result.problems).toEqual([])
    })
    return
  }

  for (let from = 0; from < CASES; from += CASES_PER_TEST) {
    const seeds = Array.from({ length: CASES_PER_TEST }, (_, index) => from + index)
    const title = `(B17) keeps its promises when host and runs are killed, cases ${from} to ${seeds.at(-1)}`
    test(title, { timeout: TEST_TIMEOUT_MS }, async () => {
      const lived = await inParallel(seeds, runtime.concurrency, live)
      const failed = lived.filter(({ problems }) => problems.length > 0)
      expect(failed.map((result) => describeCase(result, runtime.name)).join('\n\n')).toBe('')
    })
  }

  test('has killed the host at every boundary and a run at every step', () => {
    expect(thatDied(results, BOUNDARIES, hostDeathsOf)).toEqual([...BOUNDARIES])
    expect(thatDied(results, STEPS, runDeathsOf)).toEqual([...STEPS])
  })
}

/** How often each of `all` has to be somebody's end: which case meets which is partly up to the machine. */
const TIMES = 1

function thatDied(
  results: readonly CaseResult[],
  all: readonly string[],
  deathsOf: (result: CaseResult) => readonly string[],
): string[] {
  const deaths = results.flatMap(deathsOf)
  return all.filter((name) => deaths.filter((death) => death === name).length >= TIMES)
}

function hostDeathsOf({ lives }: CaseResult): string[] {
  return lives.map(({ diedAt }) => diedAt ?? 'stopped')
}

function runDeathsOf({ evidence }: CaseResult): string[] {
  const witnesses = [...(evidence?.witnesses.values() ?? [])].flat()
  return witnesses.flatMap((seen) => (seen.did === 'died' ? [seen.step] : []))
}

async function inParallel<T, R>(items: readonly T[], concurrency: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const queue = [...items]
  const done: R[] = []
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) done.push(await work(next))
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return done
}
