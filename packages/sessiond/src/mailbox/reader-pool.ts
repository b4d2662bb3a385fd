import { type ErrorCode, SessiondError } from '../model/errors.ts'
import type { World } from '../world.ts'
import type { InputOf, OperationName, ResultOf, WorkerAnswer } from './operations.ts'
import { ReaderProcess } from './reader-process.ts'

export interface ReaderPoolOptions {
  /** Reader processes at most; two at least, so that one hostile session never has them all. */
  readonly size: number
  readonly timeoutMs: number
  readonly world: World
  /** What a reader process runs. @default worker.ts beside this file */
  readonly program?: URL
}

/** From sources in development, compiled when built. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

interface Job {
  readonly sessionId: string
  readonly op: OperationName
  readonly input: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: SessiondError) => void
  /** Ends the wait for a turn. */
  cancelWait: () => void
  deaths: number
}

/** Answers in time that clear a session of suspicion. */
const PROBATION = 10
/** A request waits for its turn this many time-outs at most. */
const WAIT_FACTOR = 10
/** A reader may be killed from outside; only a second death in a row is the mailbox's doing. */
const MAX_DEATHS = 2

/**
 * Hands requests to a few reader processes, in order of arrival, one at a time per session. A session whose
 * request timed out is a suspect: suspects run one at a time and never on the last free reader, so that they
 * delay each other and nobody else.
 */
export class ReaderPool {
  readonly #size: number
  readonly #options: ReaderPoolOptions
  readonly #queue: Job[] = []
  readonly #idle: ReaderProcess[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #busySessions = new Set<string>()
  /** Suspects with the good answers they still owe. */
  readonly #suspects = new Map<string, number>()
  #suspectsRunning = 0
  #isClosed = false

  constructor(options: ReaderPoolOptions) {
    this.#options = options
    this.#size = Math.max(2, options.size)
  }

  /** Has one operation done; throws MAILBOX_TIMEOUT, MAILBOX_TORN, MAILBOX_BUSY or what the operation says. */
  run<K extends OperationName>(sessionId: string, op: K, input: InputOf<K>): Promise<ResultOf<K>> {
    if (this.#isClosed) return Promise.reject(failure(sessionId, 'HOST_STOPPING', 'The mailbox is closed.'))
    return new Promise<unknown>((resolve, reject) => {
      const job: Job = { sessionId, op, input, resolve, reject, cancelWait: () => {}, deaths: 0 }
      this.#enqueue(job)
      this.#pump()
    }) as Promise<ResultOf<K>>
  }

  /** A new run of the session is no suspect for what the last one did. */
  clearSuspicion(sessionId: string): void {
    this.#suspects.delete(sessionId)
  }

  /** Refuses what waits, lets what runs end in its time, and ends the processes. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const job of this.#queue.splice(0)) {
      job.cancelWait()
      job.reject(failure(job.sessionId, 'HOST_STOPPING', 'The mailbox was closed.'))
    }
    await Promise.all(this.#running)
    await Promise.all(this.#idle.splice(0).map((reader) => reader.end()))
  }

  #enqueue(job: Job): void {
    job.cancelWait = this.#options.world.setTimer(this.#options.timeoutMs * WAIT_FACTOR, () => {
      const index = this.#queue.indexOf(job)
      if (index < 0) return
      this.#queue.splice(index, 1)
      job.reject(failure(job.sessionId, 'MAILBOX_BUSY', 'No reader became free in time.'))
    })
    this.#queue.push(job)
  }

  #pump(): void {
    while (this.#running.size < this.#size) {
      const index = this.#queue.findIndex((job) => this.#mayRun(job))
      const [job] = index < 0 ? [] : this.#queue.splice(index, 1)
      if (job === undefined) return
      job.cancelWait()
      const served = this.#serve(job).finally(() => {
        this.#running.delete(served)
        this.#pump()
      })
      this.#running.add(served)
    }
  }

  #mayRun(job: Job): boolean {
    if (this.#busySessions.has(job.sessionId)) return false
    if (!this.#suspects.has(job.sessionId)) return true
    return this.#suspectsRunning === 0 && this.#size - this.#running.size > 1
  }

  async #serve(job: Job): Promise<void> {
    const reader = this.#takeReader()
    if (reader instanceof Error) return this.#onDeath(job, false, reader.message)
    const isSuspect = this.#suspects.has(job.sessionId)
    this.#busySessions.add(job.sessionId)
    if (isSuspect) this.#suspectsRunning += 1
    const outcome = await reader.ask({ op: job.op, input: job.input }, this.#options.timeoutMs)
    if (isSuspect) this.#suspectsRunning -= 1
    if (outcome.kind === 'answer') {
      this.#idle.push(reader)
      this.#busySessions.delete(job.sessionId)
      this.#creditAnswer(job.sessionId)
      settle(job, outcome.answer)
      return
    }
    this.#suspects.set(job.sessionId, PROBATION)
    // A killed process may still be inside a system call: the session waits for its exit, the pool does not.
    void reader.exited.then(() => {
      this.#busySessions.delete(job.sessionId)
      this.#pump()
    })
    if (outcome.kind === 'timeout') {
      job.reject(failure(job.sessionId, 'MAILBOX_TIMEOUT', `The mailbox gave no answer to ${job.op} in time.`))
    } else {
      this.#onDeath(job, outcome.began, outcome.how)
    }
  }

  #onDeath(job: Job, began: boolean, how: string): void {
    job.deaths += 1
    if (job.deaths < MAX_DEATHS && !this.#isClosed) this.#enqueue(job)
    else if (began) job.reject(failure(job.sessionId, 'MAILBOX_TORN', `Reading the mailbox ends its reader (${how}).`))
    else job.reject(failure(job.sessionId, 'MAILBOX_BUSY', `No reader process could be started (${how}).`))
  }

  /** An error: there is none idle, and the system starts no process now. */
  #takeReader(): ReaderProcess | Error {
    for (;;) {
      const reader = this.#idle.pop()
      if (reader === undefined) return this.#startReader()
      if (reader.isAlive) return reader
    }
  }

  #startReader(): ReaderProcess | Error {
    const { program = WORKER, timeoutMs, world } = this.#options
    try {
      return new ReaderProcess(program, timeoutMs, world)
    } catch (error) {
      // Out of memory, say: some failures to start a process are thrown at once, others come as its exit.
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #creditAnswer(sessionId: string): void {
    const owed = this.#suspects.get(sessionId)
    if (owed === undefined) return
    if (owed <= 1) this.#suspects.delete(sessionId)
    else this.#suspects.set(sessionId, owed - 1)
  }
}

function settle(job: Job, answer: WorkerAnswer): void {
  if (answer.ok) job.resolve(answer.value)
  else job.reject(failure(job.sessionId, answer.code, answer.what, answer.cure))
}

function failure(sessionId: string, code: ErrorCode, what: string, cure?: string): SessiondError {
  return new SessiondError(code, what, { fields: { sessionId }, ...(cure === undefined ? {} : { cure }) })
}
