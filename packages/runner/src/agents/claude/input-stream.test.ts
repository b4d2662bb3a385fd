import { describe, expect, it } from 'vitest'
import { InputStream } from './input-stream.ts'

describe('InputStream', () => {
  it('gives what was pushed in its order, before and after it was asked for, until it is ended', async () => {
    const stream = new InputStream<number>()
    const taken: number[] = []
    stream.push(1)
    const reading = (async () => {
      for await (const value of stream) {
        taken.push(value)
        if (value === 1) queueMicrotask(() => stream.push(2))
        if (value === 2) stream.end()
      }
    })()
    await reading
    expect(taken).toEqual([1, 2])
  })
})
