import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ERROR_CATALOGUE } from '../../src/model/errors.ts'

const PAGE = new URL('../../../../docs/errors.md', import.meta.url)

describe('docs/errors.md', () => {
  it('has a row for every code of the catalogue, with its cure, and no other', async () => {
    const lines = (await readFile(PAGE, 'utf8')).split('\n').filter((line) => line.startsWith('| `'))
    const rows = lines.map((line) => {
      const [, code = '', when = '', again, ...cure] = line.split('|').map((cell) => cell.trim())
      return { code: code.replaceAll('`', ''), again, cure: cure.slice(0, -1).join('|'), isExplained: when.length > 10 }
    })
    const expected = Object.entries(ERROR_CATALOGUE).map(([code, { retryable, cure }]) => ({
      code,
      again: retryable ? 'yes' : 'no',
      cure,
      isExplained: true,
    }))
    const byCode = (a: { code: string }, b: { code: string }): number => a.code.localeCompare(b.code)
    expect(rows.sort(byCode)).toEqual(expected.sort(byCode))
  })

  it('speaks of no option that does not exist', async () => {
    const { listOptions } = await import('../../src/config/list-options.ts')
    const known = listOptions().map((entry) => entry.path)
    const text = await readFile(PAGE, 'utf8')
    const named = [
      ...text.matchAll(/\b((?:api|limits|runs|docker|mounts|retry|retention|cleaning|stuck|spawn)\.[a-zA-Z]+)\b/g),
    ].map(([, path]) => path ?? '')
    expect(named.filter((path) => !known.some((each) => each === path || each.startsWith(`${path}[`)))).toEqual([])
  })
})
