import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { STEPS, type Step } from '../src/steps.ts'
import { HostSide } from './host-side.ts'
import { bundle, killRunners, pathOf, startRunner } from './start-runner.ts'

const IDS = ['m1', 'm2', 'm3']
const FLAGS = ['--disable-warning=ExperimentalWarning']

let directory: string
let program: string
let host: HostSide

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crashing-runner-'))
  program = await bundle(pathOf('../../testkit'), join(directory, 'crashing-runner.mjs'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

beforeEach(() => {
  host = new HostSide()
  host.grant(1)
  host.send(...IDS.map((id) => ({ id })))
})

afterEach(() => {
  killRunners()
  host.remove()
})

/** Every step a mode meets, with the number of times it meets it before all is answered. */
function cases(): [mode: string, step: Step, nth: number][] {
  const all: [string, Step, number][] = []
  for (const mode of ['reply', 'return']) {
    for (const step of STEPS) {
      if (mode === 'return' && step === 'replied') continue
      for (const nth of step === 'started' || step === 'looked' ? [1] : [1, 3]) all.push([mode, step, nth])
    }
  }
  return all
}

/** What a host does once it knows the run is gone: recovers the file, keeps what was answered, hands out the rest. */
function recover(epoch: number): void {
  const claimed = readdirSync(host.outDir).includes('outbound.db') ? host : undefined
  claimed?.recoverOutbound()
  const answered = new Set(claimed?.replies().map((reply) => reply.in_reply_to) ?? [])
  for (const id of IDS) {
    if (answered.has(id)) host.cancel(id)
    else host.retry(id, epoch)
  }
  host.grant(epoch)
}

describe('a run killed by SIGKILL', () => {
  it.each(cases())(
    '(B3, B17) in mode %s at %s, at meeting %d, loses nothing and says nothing twice',
    async (mode, step, nth) => {
      const args = [...FLAGS, program, '--die-at', step, '--nth', String(nth), '--mode', mode]
      const first = startRunner(host, args)
      expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
      if (step === 'claiming' || step === 'completing') {
        expect(readdirSync(host.outDir), 'it died with a hot journal').toContain('outbound.db-journal')
        expect(() => host.acks()).toThrow()
      }
      recover(2)
      const second = startRunner(host, args, { epoch: 2 })
      // One more for the second run: also where the first had answered all, it is up and working.
      host.send({ id: 'm4' })
      await host.untilAck('m4', 'completed')
      second.child.kill('SIGTERM')
      expect(await second.exited).toEqual({ code: 0, signal: null })
      const all = [...IDS, 'm4']
      expect(host.replies().map((reply) => reply.in_reply_to)).toEqual(all)
      expect(host.texts()).toEqual(all.map((id) => `echo: ${id}`))
      const seqs = host.replies().map(({ seq }) => seq)
      expect(new Set(seqs).size).toBe(all.length)
      expect(seqs.every((seq) => seq % 2 === 1)).toBe(true)
    },
  )
})

describe('the crashing runner', () => {
  it('dies in every run with --always', async () => {
    for (const epoch of [1, 2]) {
      host.grant(epoch)
      const { exited } = startRunner(host, [...FLAGS, program, '--die-at', 'started', '--always'], { epoch })
      expect((await exited).signal).toBe('SIGKILL')
    }
  })

  it.each([
    ['--die-at', 'nowhere'],
    ['--nth', '0'],
    ['--mode', 'shout'],
  ])('refuses %s %s', async (...args) => {
    const { exited, output } = startRunner(host, [...FLAGS, program, ...args])
    expect((await exited).code).toBe(64)
    expect(output()).toContain(args[0])
  })
})
