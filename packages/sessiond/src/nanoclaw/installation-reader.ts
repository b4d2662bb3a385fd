import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ReaderProcess } from '../mailbox/reader-process.ts'
import { SessiondError } from '../model/errors.ts'
import type { World } from '../world.ts'
import { makeCopiesFolder } from './copies-folder.ts'
import type { RequestInput, RequestName, RequestResult } from './requests.ts'

/** From sources in development, compiled when built. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

export interface ReaderLimits {
  /** Reading what the installation's host keeps; it may have to be copied. */
  readonly recordMs: number
  /** Reading one session; its files may be made to block. */
  readonly sessionMs: number
  /** Another program's lock is waited for so long. */
  readonly busyMs: number
  /** Longer than any file system takes for two times of a file to differ. */
  readonly settledMs: number
}

const LIMITS: ReaderLimits = { recordMs: 120_000, sessionMs: 5_000, busyMs: 2_000, settledMs: 2_000 }

/** A killed process that is still there then is inside a system call, and nobody knows for how long. */
const EXIT_MS = 5_000

type InputWithoutPlace<Name extends RequestName> = Omit<RequestInput<Name>, 'root' | 'tempDir' | 'busyMs' | 'settledMs'>

/**
 * Reads an installation of NanoClaw in a process of its own, one request at a time, and kills that when it does not answer
 * in time. Copies that had to be made lie in a private folder, which is emptied when their reader was killed, and which
 * `Symbol.asyncDispose` removes; nothing is ever written into the installation. Throws INSTALLATION_UNREADABLE.
 */
export class InstallationReader implements AsyncDisposable {
  readonly #root: string
  readonly #tempDir: string
  readonly #world: World
  readonly #limits: ReaderLimits
  #process: ReaderProcess | null = null
  #last: Promise<unknown> = Promise.resolve()

  private constructor(root: string, tempDir: string, world: World, limits: ReaderLimits) {
    this.#root = root
    this.#tempDir = tempDir
    this.#world = world
    this.#limits = limits
  }

  /** `root`: absolute, and no link. */
  static async open(root: string, world: World, limits: Partial<ReaderLimits> = {}): Promise<InstallationReader> {
    return new InstallationReader(root, await makeCopiesFolder(world.now()), world, { ...LIMITS, ...limits })
  }

  get root(): string {
    return this.#root
  }

  /** Has one thing read; requests wait for each other. */
  read<Name extends RequestName>(op: Name, input: InputWithoutPlace<Name>): Promise<RequestResult<Name>> {
    const result = this.#last.then(() => this.#ask(op, input))
    this.#last = result.catch(() => {})
    return result as Promise<RequestResult<Name>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#process?.end()
    await rm(this.#tempDir, { recursive: true, force: true })
  }

  async #ask(op: RequestName, given: object): Promise<unknown> {
    const timeoutMs = op === 'readV1' || op === 'readV2' ? this.#limits.recordMs : this.#limits.sessionMs
    const process = this.#processToAsk()
    const { busyMs, settledMs } = this.#limits
    const common = { root: this.#root, tempDir: this.#tempDir, busyMs: Math.min(busyMs, timeoutMs / 4), settledMs }
    const outcome = await process.ask({ op, input: { ...given, ...common } }, timeoutMs)
    if (outcome.kind === 'answer' && outcome.answer.ok) return outcome.answer.value
    if (outcome.kind === 'answer' && !outcome.answer.ok) throw this.#failure(outcome.answer.what, given)
    await this.#removeCopiesOf(process)
    const why = outcome.kind === 'timeout' ? `it gave no answer in ${timeoutMs} ms` : `reading it ends the reader`
    throw this.#failure(`What is to be read cannot be: ${why}.`, given)
  }

  #processToAsk(): ReaderProcess {
    if (this.#process?.isAlive !== true) this.#process = new ReaderProcess(PROGRAM, this.#limits.recordMs, this.#world)
    return this.#process
  }

  /** Each of them is as large as what was read, and there may be any number of sessions that cannot be read. */
  async #removeCopiesOf(process: ReaderProcess): Promise<void> {
    await this.#untilGone(process)
    // Whatever cannot be removed goes with the folder.
    for (const name of await readdir(this.#tempDir).catch(() => [])) {
      await rm(join(this.#tempDir, name), { recursive: true, force: true }).catch(() => {})
    }
  }

  async #untilGone(process: ReaderProcess): Promise<void> {
    let cancelTimer = () => {}
    const tooLate = new Promise<void>((resolve) => {
      cancelTimer = this.#world.setTimer(EXIT_MS, resolve)
    })
    await Promise.race([process.end(), tooLate])
    cancelTimer()
  }

  #failure(what: string, given: object): SessiondError {
    const fields = { root: this.#root, ...fieldOf(given, 'group'), ...fieldOf(given, 'session') }
    return new SessiondError('INSTALLATION_UNREADABLE', what, { fields })
  }
}

function fieldOf(given: object, name: 'group' | 'session'): Record<string, string> {
  const value = Reflect.get(given, name)
  return typeof value === 'string' ? { [name]: value } : {}
}
