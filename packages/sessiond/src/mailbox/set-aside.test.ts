import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sessionPaths } from './session-paths.ts'
import { setAsideOutbound } from './set-aside.ts'

describe('setAsideOutbound', () => {
  let dataDir: string

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sessiond-aside-'))
  })

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('(C3) killed between the two files, keeps database and journal together when asked again', () => {
    const paths = sessionPaths(dataDir, 'g/s')
    mkdirSync(paths.out, { recursive: true })
    mkdirSync(paths.runs)
    const [from, to] = [join(paths.out, 'outbound.db'), join(paths.runs, '4.outbound.db')]
    writeFileSync(from, 'database')
    writeFileSync(`${from}-journal`, 'journal')
    renameSync(from, to)
    expect(setAsideOutbound({ dataDir, paths, epoch: 4 })).toBeNull()
    expect(readFileSync(to, 'utf8')).toBe('database')
    expect(readFileSync(`${to}-journal`, 'utf8')).toBe('journal')
    expect(existsSync(`${from}-journal`)).toBe(false)
  })

  test('puts no older journal of the same epoch beside a database it moves', () => {
    const paths = sessionPaths(dataDir, 'g/s')
    mkdirSync(paths.out, { recursive: true })
    mkdirSync(paths.runs)
    const to = join(paths.runs, '4.outbound.db')
    writeFileSync(`${to}-journal`, 'stale')
    writeFileSync(join(paths.out, 'outbound.db'), 'database')
    expect(setAsideOutbound({ dataDir, paths, epoch: 4 })).toBe(to)
    expect(existsSync(`${to}-journal`)).toBe(false)
  })
})
