import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { World } from '../world.ts'

/** Share of the last ten seconds in which something waited for a disk, from which cleaning keeps away. */
const BUSY_SHARE = 0.2
/** Where the kernel does not say: a small durable write that takes longer than this waits in a queue. */
const SLOW_WRITE_MS = 250
const GOOD_FOR_MS = 1_000
const PROBE_BYTES = 4_096
const PSI = '/proc/pressure/io'

export interface DiskPressureDeps {
  readonly dataDir: string
  readonly world: Pick<World, 'monotonicMs'>
  /** Text of the kernel's pressure figures; throws where there are none. */
  readonly readPressure?: () => Promise<string>
}

/** Whether the disk is what runs wait for: then it is no time to clean. Looks at most once a second. */
export class DiskPressure {
  readonly #deps: DiskPressureDeps
  #seen: { readonly isBusy: boolean; readonly atMs: number } | null = null

  constructor(deps: DiskPressureDeps) {
    this.#deps = deps
  }

  /** A disk that tells nothing counts as idle: cleaning is what it may need most. */
  async isBusy(): Promise<boolean> {
    const { world } = this.#deps
    const seen = this.#seen
    if (seen !== null && world.monotonicMs() - seen.atMs < GOOD_FOR_MS) return seen.isBusy
    const isBusy = await this.#look()
    this.#seen = { isBusy, atMs: world.monotonicMs() }
    return isBusy
  }

  async #look(): Promise<boolean> {
    const { readPressure = () => readFile(PSI, 'utf8') } = this.#deps
    const share = await readPressure().then(parsePressure, () => null)
    if (share !== null) return share >= BUSY_SHARE
    const tookMs = await this.#timeWrite().catch(() => null)
    return tookMs !== null && tookMs > SLOW_WRITE_MS
  }

  async #timeWrite(): Promise<number> {
    const { dataDir, world } = this.#deps
    const path = join(dataDir, `.disk-probe-${process.pid}`)
    await rm(path, { force: true })
    const fromMs = world.monotonicMs()
    const probe = await open(path, 'wx', 0o600)
    try {
      await probe.write(Buffer.alloc(PROBE_BYTES, 1))
      await probe.sync()
      return world.monotonicMs() - fromMs
    } finally {
      await probe.close()
      await rm(path, { force: true })
    }
  }
}

/** Share of the last ten seconds (0 to 1) in which something waited for a disk; null: the text does not say. */
export function parsePressure(text: string): number | null {
  const [, percent] = /^some avg10=(\d{1,3}(?:\.\d+)?) /m.exec(text) ?? []
  return percent === undefined ? null : Number(percent) / 100
}
