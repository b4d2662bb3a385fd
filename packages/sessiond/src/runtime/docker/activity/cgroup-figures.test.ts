import { describe, expect, test } from 'vitest'
import {
  parseBlkioBytes,
  parseCpuacctUsage,
  parseCpuStat,
  parseIoStat,
  parseNetDev,
  parsePidsCurrent,
} from './cgroup-figures.ts'

const NOISE = ['', '\n', 'garbage', '-5\n', '1e9\n', '12 34\n', '\u0000\u0001\u0002', 'x'.repeat(60_000)]

describe('version 1', () => {
  test('tells CPU time in nanoseconds', () => {
    expect(parseCpuacctUsage('32988223\n')).toBeCloseTo(32.988, 3)
  })

  test.each([
    ['nothing yet', 'Total 0\n', 0],
    ['one device', '254:0 Read 100\n254:0 Write 23\n254:0 Sync 120\n254:0 Async 3\n254:0 Total 123\nTotal 123\n', 123],
    ['two devices', '8:0 Read 1\n8:0 Write 2\n8:16 Read 30\n8:16 Write 40\n8:16 Discard 5\nTotal 78\n', 73],
  ])('adds up bytes of block devices: %s', (_, text, bytes) => {
    expect(parseBlkioBytes(text)).toBe(bytes)
  })

  test.each([...NOISE, '254:0 Read 100\n'])('refuses %j as bytes', (text) => {
    expect(() => parseBlkioBytes(text)).toThrow('unreadable')
  })

  test.each(NOISE)('refuses %j as CPU time', (text) => {
    expect(() => parseCpuacctUsage(text)).toThrow('unreadable')
  })
})

describe('version 2', () => {
  test('tells CPU time in microseconds', () => {
    expect(parseCpuStat('usage_usec 32988\nuser_usec 8247\nsystem_usec 24741\nnice_usec 0\n')).toBeCloseTo(32.988, 3)
  })

  test.each([
    ['nothing yet', '', 0],
    ['one device', '8:0 rbytes=1000 wbytes=200 rios=1 wios=2 dbytes=5 dios=1\n', 1200],
    [
      'two devices, one with more to say',
      '254:0 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0 cost.usage=7\n8:0 rbytes=30 wbytes=40 rios=1 wios=1\n',
      73,
    ],
    ['a device with nothing to say', '8:16 \n8:0 rbytes=3 wbytes=4 rios=1 wios=2 dbytes=0 dios=0\n', 7],
    ['one of those whose line was not ended', '8:16 8:0 rbytes=3 wbytes=4 rios=1 wios=2 cost.vrate=99.50\n', 7],
  ])('adds up bytes of block devices: %s', (_, text, bytes) => {
    expect(parseIoStat(text)).toBe(bytes)
  })

  test.each(NOISE.filter((text) => text.trim() !== ''))('refuses %j as bytes', (text) => {
    expect(() => parseIoStat(text)).toThrow('unreadable')
  })

  test.each([...NOISE, 'user_usec 5\n', 'xusage_usec 5\n'])('refuses %j as CPU time', (text) => {
    expect(() => parseCpuStat(text)).toThrow('unreadable')
  })
})

test('tells how many run', () => {
  expect(parsePidsCurrent('12\n')).toBe(12)
  for (const text of NOISE) expect(() => parsePidsCurrent(text)).toThrow('unreadable')
})

describe('net/dev', () => {
  const HEAD = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`
  const lo =
    '    lo: 3008914685 1167540    0    0    0     0          0         0 3008914685 1167540    0    0    0     0       0          0\n'
  const eth =
    '  eth0:    1500      10    0    0    0     0          0         0      300       4    0    0    0     0       0          0\n'

  test.each([
    ['no interface', HEAD, 0],
    ['the loopback alone', HEAD + lo, 0],
    ['one more', HEAD + lo + eth, 1800],
    ['two more, and an alias', HEAD + eth + lo + eth.replace('eth0', 'eth0:1') + eth.replace('eth0', 'lo1'), 5400],
    ['a figure that touches the name', HEAD + eth.replace(':    1500', ':1500'), 1800],
  ])('adds up what was received and sent: %s', (_, text, bytes) => {
    expect(parseNetDev(text)).toBe(bytes)
  })

  test.each([
    ...NOISE,
    HEAD + eth.slice(0, 30),
    `${HEAD}eth0 1500\n`,
    HEAD + eth.replace('1500', 'many'),
    eth + eth + eth,
  ])('refuses %j', (text) => {
    expect(() => parseNetDev(text)).toThrow('unreadable')
  })
})
