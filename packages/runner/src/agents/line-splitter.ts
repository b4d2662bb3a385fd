import { StringDecoder } from 'node:string_decoder'

const MAX_LINE_CHARS = 8_192

/** Cuts a byte stream into lines; one without an end is passed on in pieces, so that it costs no memory. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#emit(line)
    if (this.#rest.length > MAX_LINE_CHARS) {
      this.#emit(this.#rest)
      this.#rest = ''
    }
  }

  /** Passes on a last line that no newline ended. */
  end(): void {
    const last = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (last !== '') this.#emit(last)
  }

  #emit(line: string): void {
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
}
