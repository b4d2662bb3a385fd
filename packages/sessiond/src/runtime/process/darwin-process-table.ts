import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RUN_ENV } from '@sessiond/protocol'
import type { ProcessIdentity } from './process-identity.ts'
import type { MemberQuery, ProcessTable } from './process-table.ts'

const exec = promisify(execFile)

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
export class DarwinProcessTable implements ProcessTable {
  async startIdOf(pid: number): Promise<string | null> {
    const line = parsePsLines(await ps(['-p', String(pid)]))[0]
    return line === undefined || line.isDead ? null : line.startId
  }

  async findMembers(query: MemberQuery): Promise<ProcessIdentity[]> {
    const lines = parsePsLines(await ps(['-axEww']))
    return lines
      .filter((line) => !line.isDead && line.pid !== process.pid && line.uid === process.getuid?.())
      .filter((line) => (query.trustGroup && line.groupId === query.groupId) || carriesName(line, query.runName))
      .map(({ pid, startId }) => ({ pid, startId }))
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

function carriesName(line: PsLine, runName: string): boolean {
  return line.command.split(' ').includes(`${RUN_ENV.run}=${runName}`)
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
