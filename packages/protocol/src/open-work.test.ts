import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PROTOCOL_LIMITS } from './limits.ts'
import { formatOpenWork, type OpenWork, parseOpenWork, WAIT_REASONS } from './open-work.ts'

const figure = fc.option(fc.nat(8 * 86_400_000), { nil: null })

const work: fc.Arbitrary<OpenWork> = fc.record({
  tools: fc.array(
    fc.record({
      id: fc.nat(),
      name: fc.string({ maxLength: PROTOCOL_LIMITS.toolNameChars }).map((name) => name.replaceAll('\0', '')),
      timeoutMs: figure,
      expectedMs: figure,
      isBackground: fc.boolean(),
      renewals: fc.nat(),
    }),
    { maxLength: PROTOCOL_LIMITS.openTools },
  ),
  wait: fc.option(
    fc.record({ seq: fc.nat(), reason: fc.constantFrom(...WAIT_REASONS), forMs: figure, pings: fc.nat() }),
    { nil: null },
  ),
})

describe('open work', () => {
  it('reads back as it was written, and always fits its column', () => {
    fc.assert(
      fc.property(work, (open) => {
        const text = formatOpenWork(open)
        expect(text.length).toBeLessThanOrEqual(PROTOCOL_LIMITS.openWorkChars)
        expect(parseOpenWork(text)).toEqual(open)
      }),
    )
  })

  it('(G7) never throws, and never yields a figure that is none', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.json(),
      work.map((open) => formatOpenWork(open).replaceAll(/\d+/g, '-1e999')),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        const open = parseOpenWork(text)
        const figures = [...(open?.tools ?? []), ...(open?.wait == null ? [] : [open.wait])]
          .flatMap((each) => Object.values(each))
          .filter((value) => typeof value === 'number')
        expect(figures.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true)
      }),
    )
  })

  const tool = (id: number, isBackground: boolean) => {
    return {
      id,
      name: `tool ${id}`,
      timeoutMs: isBackground ? null : 60_000,
      expectedMs: null,
      isBackground,
      renewals: 0,
    }
  }
  const idsOf = (open: OpenWork | null) => open?.tools.map(({ id }) => id)
  const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
  const written = (tools: OpenWork['tools']) => idsOf(parseOpenWork(formatOpenWork({ tools, wait: null })))
  const read = (tools: OpenWork['tools']) => idsOf(parseOpenWork(JSON.stringify({ tools, wait: null })))

  it.each([
    ['written', written],
    ['read', read],
  ])(
    'keeps an outer tool that is followed by too many in the background, oldest of them left out first, when %s',
    (_, through) => {
      const background = upTo(2, PROTOCOL_LIMITS.openTools + 2).map((id) => tool(id, true))
      expect(through([tool(1, false), ...background])).toEqual([1, ...upTo(4, PROTOCOL_LIMITS.openTools + 2)])
    },
  )

  it.each([
    ['written', written],
    ['read', read],
  ])('leaves out the oldest of those that are awaited once none in the background is left, when %s', (_, through) => {
    const awaited = upTo(1, PROTOCOL_LIMITS.openTools + 1).map((id) => tool(id, false))
    expect(through([...awaited, tool(99, true)])).toEqual(upTo(2, PROTOCOL_LIMITS.openTools + 1))
  })

  it('is none when there is too much of it', () => {
    expect(
      parseOpenWork(JSON.stringify({ tools: [], wait: null, more: 'x'.repeat(PROTOCOL_LIMITS.openWorkChars) })),
    ).toBeNull()
  })
})
