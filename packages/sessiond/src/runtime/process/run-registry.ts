import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { SessiondError } from '../../model/errors.ts'
import { formatIdentity } from './process-identity.ts'

const entrySchema = z.object({
  installId: z.string(),
  name: z.string(),
  sessionId: z.string(),
  epoch: z.number().int().positive(),
  pid: z.number().int().min(2),
  startId: z.string().min(1),
  logPath: z.string(),
  logBytes: z.number().int().positive(),
  exit: z.object({ code: z.number().nullable(), signal: z.string().nullable(), oomKilled: z.boolean() }).nullable(),
})

/** What the process runtime must find again of a run after the host was restarted. */
export type RunEntry = z.infer<typeof entrySchema>

/** Names become file names here. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/**
 * The process runtime's label: one small file per run, written when it is created and deleted when it is removed.
 * No file outlives its purpose by being torn: a torn one can only come from a power cut, which no process survives.
 */
export class RunRegistry {
  readonly #directory: string
  #entries: Promise<Map<string, RunEntry>> | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Throws RUN_NAME_TAKEN when a run of this name is registered, RUNTIME_REFUSED when the name is none. */
  async checkFree(name: string): Promise<void> {
    if (!NAME.test(name)) throw new SessiondError('RUNTIME_REFUSED', `Run name ${JSON.stringify(name)} is not usable.`)
    for (const entry of (await this.#load()).values()) if (entry.name === name) throw nameTaken(name)
  }

  /** Registers a run; the name's second owner is refused, also when both come at once. */
  async add(entry: RunEntry): Promise<void> {
    const entries = await this.#load()
    try {
      await using file = await open(this.#pathOf(entry.name), 'wx', 0o600)
      await file.writeFile(JSON.stringify(entry))
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? nameTaken(entry.name) : error
    }
    entries.set(formatIdentity(entry), entry)
  }

  /** Keeps how a run ended, so that a restarted host still knows. */
  async recordExit(id: string, exit: NonNullable<RunEntry['exit']>): Promise<void> {
    const entries = await this.#load()
    const entry = entries.get(id)
    if (entry === undefined) return
    const ended = { ...entry, exit }
    entries.set(id, ended)
    const path = this.#pathOf(entry.name)
    await using file = await open(`${path}.new`, 'w', 0o600)
    await file.writeFile(JSON.stringify(ended))
    await rename(`${path}.new`, path)
  }

  async get(id: string): Promise<RunEntry | undefined> {
    return (await this.#load()).get(id)
  }

  async list(): Promise<RunEntry[]> {
    return [...(await this.#load()).values()]
  }

  /** Idempotent. */
  async delete(id: string): Promise<void> {
    const entries = await this.#load()
    const entry = entries.get(id)
    if (entry === undefined) return
    await unlink(this.#pathOf(entry.name)).catch(ignoreMissing)
    entries.delete(id)
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${name}.json`)
  }

  /** Read once: this host is the only writer. A failure is not kept, so that the next call tries again. */
  #load(): Promise<Map<string, RunEntry>> {
    this.#entries ??= this.#read().catch((error: unknown) => {
      this.#entries = undefined
      throw new SessiondError('RUNTIME_UNREACHABLE', `The run registry ${this.#directory} is unreadable.`, {
        cause: error,
        fields: { runtime: 'process' },
        cure: 'Make it readable and writable for the user who runs sessiond.',
      })
    })
    return this.#entries
  }

  async #read(): Promise<Map<string, RunEntry>> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const entries = new Map<string, RunEntry>()
    for (const file of await readdir(this.#directory)) {
      const path = join(this.#directory, file)
      const entry = file.endsWith('.json') ? parseEntry(await readFile(path, 'utf8')) : undefined
      if (entry === undefined) await unlink(path).catch(ignoreMissing)
      else entries.set(formatIdentity(entry), entry)
    }
    return entries
  }
}

/** Names of the runs of one install that are registered in a directory; for who may not touch what it finds there. */
export async function listRegisteredNames(directory: string, installId: string): Promise<string[]> {
  const files = (await readdir(directory).catch(() => [])).filter((file) => file.endsWith('.json'))
  const entries = await Promise.all(
    files.map((file) => readFile(join(directory, file), 'utf8').then(parseEntry, () => undefined)),
  )
  return entries.flatMap((entry) => (entry?.installId === installId ? [entry.name] : [])).sort()
}

function parseEntry(text: string): RunEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(text))
  } catch {
    // Torn by a power cut: see the class.
    return undefined
  }
}

function nameTaken(name: string): SessiondError {
  return new SessiondError('RUN_NAME_TAKEN', `A run named ${name} is already registered.`, { fields: { run: name } })
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
