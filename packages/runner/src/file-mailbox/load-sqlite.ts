import { RunnerError } from '../errors.ts'

type Sqlite = typeof import('node:sqlite')

let loaded: Sqlite | undefined

/**
 * Node's SQLite, loaded on first use. Its "experimental" warning is left out, so that an agent's log holds only
 * what the agent says; warnings about anything else stay.
 */
export function loadSqlite(): Sqlite {
  if (loaded !== undefined) return loaded
  const emitWarning = process.emitWarning
  // Loading is synchronous: no other warning can fall into this window.
  process.emitWarning = () => {}
  try {
    loaded = process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
  if (loaded === undefined) {
    throw new RunnerError('BAD_CONFIGURATION', `this runner needs Node 24, it was started with ${process.version}`)
  }
  return loaded
}
