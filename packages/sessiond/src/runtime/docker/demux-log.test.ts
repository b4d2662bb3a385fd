import { describe, expect, test } from 'vitest'
import { lastBytes } from '../last-bytes.ts'
import { demuxLog } from './demux-log.ts'

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

describe('demuxLog', () => {
  test('keeps both streams in the order they were written', () => {
    const framed = Buffer.concat([frame(1, 'one\n'), frame(2, 'two\n'), frame(1, ''), frame(1, 'three\n')])
    expect(demuxLog(framed).toString()).toBe('one\ntwo\nthree\n')
  })

  test('keeps what there is of a frame cut short', () => {
    expect(demuxLog(frame(1, 'a whole line\n').subarray(0, 12)).toString()).toBe('a wh')
    expect(demuxLog(frame(1, 'x').subarray(0, 5)).toString()).toBe('')
  })

  test('returns what is not framed as it is, and stops where frames end', () => {
    expect(demuxLog(Buffer.from('plain text of a terminal')).toString()).toBe('plain text of a terminal')
    expect(demuxLog(Buffer.concat([frame(1, 'one\n'), Buffer.from('garbage garbage')])).toString()).toBe('one\n')
  })
})

describe('lastBytes', () => {
  test.each([
    ['abc', 2, 'bc'],
    ['abc', 3, 'abc'],
    ['abc', 4, 'abc'],
    ['abc', 0, ''],
    ['abc', -1, ''],
    // Never half a character: three bytes of two-byte letters hold one.
    ['äö', 3, 'ö'],
    ['a€', 2, ''],
  ])('of %j, %i: %j', (text, maxBytes, expected) => {
    expect(lastBytes(Buffer.from(text), maxBytes)).toBe(expected)
  })
})
