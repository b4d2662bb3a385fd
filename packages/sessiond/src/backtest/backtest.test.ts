import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildRecording } from '@sessiond/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STUCK } from '../config/default-stuck.ts'
import { backtest } from './backtest.ts'
import { readRecordings } from './find-recordings.ts'
import { type Recording, readRecording } from './read-recording.ts'

const policies = [{ name: 'default', policy: DEFAULT_STUCK }]
const lines = buildRecording({ forMs: 600_000, moves: [] })

function recording(change: Partial<Recording>): Recording {
  return { name: 'r', about: '', lines, stuckAtMs: null, isLabelled: true, ...change }
}

describe('backtest', () => {
  it.each([
    ['a kill after it was stuck is right', { stuckAtMs: 0 }, 'right', 'killed'],
    ['a kill before it was stuck is wrong', { stuckAtMs: 599_000 }, 'wrong-kill', 'killed'],
    ['a kill of a healthy one is wrong', {}, 'wrong-kill', 'killed'],
    ['a stuck one that is left alone is missed', { stuckAtMs: 0, lines: lines.slice(0, 3) }, 'missed', 'left-alone'],
    ['a healthy one that is left alone is right', { lines: lines.slice(0, 3) }, 'right', 'left-alone'],
    ['one that nobody labelled is neither', { isLabelled: false }, 'unlabelled', 'killed'],
  ] as const)('%s', (_, change, is, outcome) => {
    const [row] = backtest([recording(change)], policies)
    expect(row?.verdicts).toEqual([expect.objectContaining({ policy: 'default', is, outcome })])
  })
})

describe('a recording', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sessiond-recordings-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is read whatever it says beside what is known, in the order of its times', () => {
    const text = '{"t":9,"kind":"beat"}\n\n{"t":3,"kind":"new-kind"}\n{"t":1,"kind":"claim","message":"m"}\n'
    expect(readRecording(text, 'a.jsonl')).toEqual({
      name: 'a.jsonl',
      about: '',
      lines: [
        { t: 1, kind: 'claim', message: 'm' },
        { t: 9, kind: 'beat' },
      ],
      stuckAtMs: null,
      isLabelled: true,
    })
  })

  it.each([
    ['', 'line 1: has no line'],
    ['{"t":1,"kind":"beat"}\nnonsense\n', 'line 2: '],
    ['{"t":-1,"kind":"beat"}\n', 'line 1: t is no time in ms'],
    ['{"t":1,"kind":"activity","cpuMs":"9"}\n', 'line 1: cpuMs is no number'],
    ['[]\n', 'line 1: is no JSON object'],
  ])('that is none is refused, with file and line: %j', (text, words) => {
    expect(() => readRecording(text, 'a.jsonl')).toThrow(`a.jsonl, ${words}`)
  })

  it('that is not there is named', async () => {
    await writeFile(join(folder, 'b.jsonl'), '{"t":1,"kind":"beat"}\n')
    const missing = join(folder, 'c.jsonl')
    await expect(readRecordings([join(folder, 'b.jsonl'), missing])).rejects.toMatchObject({
      code: 'INVALID_RECORDING',
      fields: { file: missing },
    })
  })
})
