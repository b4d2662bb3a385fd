import { opendir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SessiondError } from '../model/errors.ts'
import { type Recording, readRecording } from './read-recording.ts'

const SUFFIX = '.recording.jsonl'
/** Far above any recording of ours; larger files are something else. */
const MAX_BYTES = 64 * 1024 * 1024

/** Reads recordings, in the order given. Throws INVALID_RECORDING, naming the file. */
export async function readRecordings(files: readonly string[]): Promise<Recording[]> {
  const recordings: Recording[] = []
  for (const file of files) recordings.push(readRecording(await readText(file), basename(file)))
  return recordings
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES} bytes`)
    return await readFile(file, 'utf8')
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new SessiondError('INVALID_RECORDING', `${file} cannot be read: ${what}.`, { fields: { file }, cause })
  }
}

/** The recordings a host has kept of its runs, by session and run. Empty where none has run yet. */
export async function listKeptRecordings(dataDir: string): Promise<string[]> {
  const found: string[] = []
  const sessions = join(dataDir, 'sessions')
  for (const group of await namesIn(sessions)) {
    for (const session of await namesIn(join(sessions, group))) {
      const runs = join(sessions, group, session, 'runs')
      found.push(...(await namesIn(runs)).filter((name) => name.endsWith(SUFFIX)).map((name) => join(runs, name)))
    }
  }
  return found.sort(new Intl.Collator('en', { numeric: true }).compare)
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names: string[] = []
    for await (const entry of await opendir(folder)) names.push(entry.name)
    return names
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
