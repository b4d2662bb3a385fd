import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A fixture program in a process of its own, line by line. */
export class Child {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  /** Every line it has written, also those nobody waited for. */
  readonly written: string[] = []

  constructor(program: string, ...args: string[]) {
    const path = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url))
    const flags = ['--conditions=sessiond-source', '--disable-warning=ExperimentalWarning']
    this.#process = spawn(process.execPath, [...flags, path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('no stdout')
    const lines = createInterface({ input: stdout })
    lines.on('line', (line) => this.written.push(line))
    this.#lines = lines[Symbol.asyncIterator]()
  }

  /** The next line it writes; throws when it ends without one. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the program ended without a line')
    return value
  }

  /** Lets a program that waits for its input to end go on. */
  finish(): void {
    this.#process.stdin?.end()
  }

  /** Ends it as a crash would; resolves when it is gone and all it wrote was read. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.closed()
  }

  async closed(): Promise<number | null> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'close')
    return this.#process.exitCode
  }
}
