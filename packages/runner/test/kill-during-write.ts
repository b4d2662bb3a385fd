import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The writer: a transaction whose pages have reached the file, waiting to be killed. */
const PROGRAM = `
  const { DatabaseSync } = require('node:sqlite')
  const db = new DatabaseSync(process.argv[1])
  db.exec('PRAGMA journal_mode=DELETE; PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE')
  db.exec(process.argv[2])
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
    db.prepare('SELECT count(*) FROM ' + name).get()
  }
  process.stdout.write('ready')
  setInterval(() => {}, 1000)
`

/** Leaves a hot journal: kills a process that has written `sql` to the file and not committed. */
export async function killDuringWrite(path: string, sql: string): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', PROGRAM, path, sql], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await exited
}
