import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RUN_ENV } from '@sessiond/protocol'
import type { ProcessSource, SeenProcess } from './process-table.ts'

const exec = promisify(execFile)

const RUN_NAME = `${RUN_ENV.run}=`

/** One line of `ps -o pid=,pgid=,uid=,stat=,lstart=,command=`. */
interface PsLine {
  readonly pid: number
  readonly groupId: number
  readonly uid: number
  readonly isDead: boolean
  readonly startId: string
  /** With `-E` the environment follows the arguments. */
  readonly command: string
}

/** Processes as `ps` tells of them, for macOS. Start ids have the grain of a second. */
export class DarwinProcessTable implements ProcessSource {
  async startIdOf(pid: number): Promise<string | null> {
    const line = parsePsLines(await ps(['-p', String(pid)]))[0]
    return line === undefined || line.isDead ? null : line.startId
  }

  async listProcesses(): Promise<SeenProcess[]> {
    const lines = parsePsLines(await ps(['-axEww'])).filter((line) => !line.isDead && line.pid !== process.pid)
    return lines.map(({ pid, startId, groupId, uid, command }) => {
      return { pid, startId, groupIds: [groupId], runNames: uid === process.getuid?.() ? runNamesIn(command) : null }
    })
  }
}

/** Reads the output of `ps`; lines of another shape are left out. */
export function parsePsLines(output: string): PsLine[] {
  return output.split('\n').flatMap((text) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s?(.*)$/.exec(text)
    if (match === null) return []
    const [, pid, groupId, uid, state = '', started = '', command = ''] = match
    const startId = started.replace(/\s+/g, '_')
    return [
      { pid: Number(pid), groupId: Number(groupId), uid: Number(uid), isDead: state.startsWith('Z'), startId, command },
    ]
  })
}

function runNamesIn(command: string): string[] {
  return command.split(' ').flatMap((word) => (word.startsWith(RUN_NAME) ? [word.slice(RUN_NAME.length)] : []))
}

async function ps(selection: readonly string[]): Promise<string> {
  try {
    const columns = ['-o', 'pid=,pgid=,uid=,stat=,lstart=,command=']
    const options = {
      timeout: 5000,
      maxBuffer: 64 * 1024 * 1024,
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/bin:/usr/bin' },
    }
    return (await exec('ps', [...selection, ...columns], options)).stdout
  } catch (error) {
    // ps says "none" with exit code 1.
    if ((error as { code?: unknown }).code === 1) return ''
    throw error
  }
}
