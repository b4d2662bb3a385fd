import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exerciseMailbox, type MailboxHarness } from '../../../testkit/src/exercise-mailbox.ts'
import { realWorld } from '../world.ts'
import { FileMailbox } from './file-mailbox.ts'

const bounds = { takeRows: 50, takeBytes: 64 * 1024, maxFileBytes: 128 * 1024 * 1024 }

async function makeHarness(): Promise<MailboxHarness> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sessiond-mailbox-'))
  const opened: FileMailbox[] = []
  const open = () => {
    const mailbox = new FileMailbox({
      dataDir,
      world: realWorld,
      readers: 2,
      // On a machine that does much else at once a look takes seconds; one test waits for it three times.
      readTimeoutMs: 4_000,
      pollMs: 50,
      ...bounds,
    })
    opened.push(mailbox)
    return mailbox
  }
  return {
    mailbox: open(),
    reopen: open,
    ...bounds,
    countOpenFiles,
    async dispose() {
      await Promise.all(opened.map((mailbox) => mailbox.close()))
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function countOpenFiles(): number {
  if (process.platform !== 'linux') return readdirSync('/dev/fd').length
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return ['self', ...children].reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}

exerciseMailbox('FileMailbox', makeHarness)
