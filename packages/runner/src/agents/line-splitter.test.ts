import { describe, expect, it } from 'vitest'
import { LineSplitter } from './line-splitter.ts'
import { LineTail } from './line-tail.ts'

function split(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line))
  for (const chunk of chunks) splitter.add(Buffer.from(chunk))
  splitter.end()
  return lines
}

describe('LineSplitter', () => {
  it('cuts lines wherever the chunks end', () => {
    expect(split('a\nb', 'c\r\n', '\nlast')).toEqual(['a', 'bc', '', 'last'])
  })

  it('joins a character that arrives in two parts', () => {
    expect(split(Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 0x0a]))).toEqual(['€'])
  })

  it('passes an endless line on in pieces', () => {
    const lines = split(...Array.from({ length: 100 }, () => 'x'.repeat(1_000)))
    expect(lines.join('')).toHaveLength(100_000)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000)
  })
})

describe('LineTail', () => {
  it('keeps the last lines within its bound', () => {
    const tail = new LineTail(10)
    for (const line of ['first', 'second', 'third', '']) tail.add(line)
    expect(tail.text()).toBe('third')
    expect(tail.lastLine()).toBe('third')
  })

  it('keeps the end of a line that is longer than that', () => {
    const tail = new LineTail(4)
    tail.add('abcdefgh')
    expect(tail.text()).toBe('efgh')
  })

  it('is empty when nothing was said', () => {
    expect([new LineTail(4).text(), new LineTail(4).lastLine()]).toEqual(['', ''])
  })
})
