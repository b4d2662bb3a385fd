import { expect, it } from 'vitest'
import { parseTop } from './parse-top.ts'

const TITLES = ['PID', 'STAT', 'TIME', 'RSS', 'COMMAND']

it('reads the table of processes the engine gives', () => {
  const rows = [
    ['41', 'Ss', '00:00:02', '1024', 'node'],
    ['42', 'R+', '1-02:03:04', '7', 'x'.repeat(100)],
  ]
  expect(parseTop(TITLES, rows)).toEqual([
    { pid: 41, name: 'node', state: 'S', cpuMs: 2_000, memoryBytes: 1_048_576 },
    { pid: 42, name: 'x'.repeat(64), state: 'R', cpuMs: 93_784_000, memoryBytes: 7_168 },
  ])
})

it('says nothing of what it cannot read', () => {
  expect(parseTop(TITLES, [['no pid', 'S', '', '', '']])).toEqual([])
  expect(parseTop(['PID'], [['41']])).toEqual([{ pid: 41, name: '?', state: '?', cpuMs: null, memoryBytes: null }])
  expect(parseTop(TITLES, [['41', 'S', 'long', 'much', 'sh']])).toMatchObject([{ cpuMs: null, memoryBytes: null }])
})
