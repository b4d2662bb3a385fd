import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeEndlessTree } from '../../../testkit/src/endless-tree.ts'
import type { TakeInput } from './operations.ts'
import { sessionPaths } from './session-paths.ts'

describe('a reader process', () => {
  let dataDir: string

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sessiond-worker-'))
  })

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true })
  })

  async function startReader(watchdogMs: number) {
    const child = fork(new URL('./worker.ts', import.meta.url), [String(watchdogMs)], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=sessiond-source'],
      serialization: 'advanced',
    })
    await once(child, 'message')
    return child
  }

  test('exits when its host is gone', async () => {
    const reader = await startReader(60_000)
    const exited = once(reader, 'exit')
    reader.disconnect()
    expect(await exited).toEqual([0, null])
  })

  test('survives the Ctrl-C that reaches its whole process group', async () => {
    const reader = await startReader(60_000)
    reader.kill('SIGINT')
    reader.kill('SIGTERM')
    const answered = once(reader, 'message')
    reader.send({ op: 'take', input: takeOf('g/none') })
    expect(await answered).toMatchObject([{ ok: true }, undefined])
    reader.kill('SIGKILL')
    await once(reader, 'exit')
  })

  test('ends by itself when it hangs in a hostile file and no host is there to kill it', async () => {
    const input = takeOf('g/s')
    mkdirSync(input.paths.out, { recursive: true })
    writeEndlessTree(join(input.paths.out, 'outbound.db'), 'messages_out')
    const reader = await startReader(200)
    const exited = once(reader, 'exit')
    reader.send({ op: 'take', input }, () => reader.disconnect())
    expect(await exited).toEqual([null, 'SIGKILL'])
  })

  function takeOf(sessionId: string): TakeInput {
    return {
      paths: sessionPaths(dataDir, sessionId),
      afterSeq: 0,
      maxRows: 10,
      maxBytes: 1000,
      maxFileBytes: 1_000_000,
      isFinal: false,
    }
  }
})
