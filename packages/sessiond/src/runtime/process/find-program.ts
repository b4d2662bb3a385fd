import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, resolve } from 'node:path'

/**
 * Finds the file a command's first word would run, as `exec` would with this PATH and working directory;
 * undefined when there is none this user may execute.
 */
export async function findProgram(program: string, path: string, workDir: string): Promise<string | undefined> {
  if (program === '') return undefined
  const candidates = program.includes('/')
    ? [isAbsolute(program) ? program : resolve(workDir, program)]
    : path.split(delimiter).map((folder) => resolve(workDir, folder, program))
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    // Missing, unreadable or not executable: all mean that exec would fail.
    return false
  }
}
