/**
 * A runner that dies where its arguments say, and witnesses what it does in its workspace:
 *
 *     crash-runner <AgentPlan as JSON>
 *
 * `witness.db` is held exclusively for as long as the process lives, so that a second live run of the session is
 * caught by the operating system, in containers too; `witness.log` gets one JSON line for each thing done.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { OUTBOUND_DB } from '@sessiond/protocol'
import { FileRequests, type OnStep, realRunnerWorld, runProgram, type Step } from '@sessiond/runner/internal'
import type { AgentPlan } from './crash-plan.ts'

/** What a run did, as it stands in its workspace. */
export type Witness = { readonly epoch: number } & (
  | { readonly did: 'started' }
  /** Another run of the same session was alive. */
  | { readonly did: 'overlapped' }
  | { readonly did: 'took'; readonly ids: readonly string[]; readonly count: number }
  /** The reply is on disk. */
  | { readonly did: 'replied'; readonly id: string }
  /** It asked for a series; what the host answered, null: nothing yet. */
  | { readonly did: 'asked'; readonly answer: string | null }
  | { readonly did: 'died'; readonly step: Step; readonly held: readonly string[] }
)

const plan = JSON.parse(process.argv[2] ?? '') as AgentPlan
const workDir = process.env.SESSIOND_WORK ?? '.'
const outDir = process.env.SESSIOND_OUT ?? '.'
const epoch = Number(process.env.SESSIOND_EPOCH)
const log = join(workDir, 'witness.log')
const mailbox = { inDir: process.env.SESSIOND_IN ?? '.', outDir }
const COUNT = 'count'
const ASK_WAIT_MS = 10_000

let met = 0
let held: readonly string[] = []
let replyingTo: string | null = null

const witness = new DatabaseSync(join(workDir, 'witness.db'), { timeout: 0 })
holdWitness()
note({ did: 'started', epoch })

const onStep: OnStep = (step) => {
  if (step === 'started' && plan.ignoresSigterm) process.removeAllListeners('SIGTERM').on('SIGTERM', () => {})
  if (step === 'claimed') held = readClaims()
  if (step === 'claiming' || step === 'completed') held = []
  if (step === 'replied' && replyingTo !== null) note({ did: 'replied', epoch, id: replyingTo })
  const { death } = plan
  if (death === null || step !== death.step) return
  met += 1
  if (met < death.nth || deathsBefore() >= death.times) return
  note({ did: 'died', epoch, step, held })
  die()
}

await runProgram({
  onStep,
  prepare: () => ({
    per: plan.per,
    handler: async (messages, context) => {
      const count = Number(context.state.get(COUNT) ?? 0) + 1
      await context.state.set(COUNT, String(count))
      note({ did: 'took', epoch, ids: messages.map(({ id }) => id), count })
      if (plan.asks) await ask(context.signal)
      await setTimeout(plan.workMs, undefined, { signal: context.signal })
      if (plan.mode === 'return') return `echo: ${messages[0]?.text}`
      for (const message of messages) {
        replyingTo = message.id
        await context.reply(`echo: ${message.text}`, { to: message })
      }
      return undefined
    },
  }),
})

/** Waits as long as a host takes that is killed meanwhile and started again. */
async function ask(signal: AbortSignal): Promise<void> {
  const requests = new FileRequests({ ...mailbox, epoch, world: realRunnerWorld, log: () => {} })
  const answer = await requests.ask({ action: 'schedule_task', text: 'far', after: '1d' }, ASK_WAIT_MS, signal)
  note({ did: 'asked', epoch, answer: answer?.text ?? null })
  await requests.close()
}

function holdWitness(): void {
  try {
    witness.exec('BEGIN EXCLUSIVE')
  } catch {
    // The lock is another process's; that is what is to be told.
    note({ did: 'overlapped', epoch })
  }
}

function note(line: Witness): void {
  appendFileSync(log, `${JSON.stringify(line)}\n`)
}

function readClaims(): string[] {
  const outbound = new DatabaseSync(join(outDir, OUTBOUND_DB), { readOnly: true })
  try {
    const rows = outbound.prepare("SELECT message_id AS id FROM processing_ack WHERE status = 'processing'").all()
    return rows.map(({ id }) => String(id))
  } finally {
    outbound.close()
  }
}

function deathsBefore(): number {
  return existsSync(log) ? readFileSync(log, 'utf8').split('"did":"died"').length - 1 : 0
}

/** Ends this process here and now: nothing is closed, rolled back or flushed. */
function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // Process 1 of a container is spared its own SIGKILL; an abort ends it too, and as abruptly.
  process.abort()
}
