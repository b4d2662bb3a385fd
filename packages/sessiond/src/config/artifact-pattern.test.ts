import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  capturesOf,
  isCovered,
  isCoveredTogether,
  isNeverUnit,
  mayClash,
  mayHold,
  namesOf,
  patternFault,
} from './artifact-pattern.ts'

describe('patternFault', () => {
  it.each([
    '*',
    '*/',
    'a b/ü/*.log',
    '**/*',
    '**/cache/**/*.tmp',
    'logs/[a-z]?.txt',
    '{group}/{session}/work/{epoch}.{id}.json',
    '**/{group}/{session}.core',
    'run-{epoch}.log',
    '{id}-agent-{id}.json',
    '...',
    `${'n'.repeat(254)}{id}*`.slice(0, -1),
    `${'n'.repeat(255)}*`,
    `${'a/'.repeat(99)}x`,
  ])('takes %s', (pattern) => {
    expect(patternFault(pattern)).toBeUndefined()
  })

  it.each([
    ['nothing', '', 'not 1 to'],
    ['NUL', 'a\0b', 'NUL'],
    ['a text without end', 'a'.repeat(1_001), 'not 1 to'],
    ['the root of the file system', '/', 'absolute'],
    ['an absolute path', '/etc/*', 'absolute'],
    ['a climb', '../*', "'..'"],
    ['a climb on the way', 'a/../../b', "'..'"],
    ['a folder that is a climb', 'a/../', "'..'"],
    ['a dot', './a', "'.'"],
    ['two slashes', 'a//b', 'empty segment'],
    ['folders of folders', 'a//', 'empty segment'],
    ['folders alone', '**', "ends in '**'"],
    ['folders alone as folders', 'a/**/', "ends in '**'"],
    ['folders within a name', 'a**', 'part of a name'],
    ['folders beside a capture', '{id}**', 'part of a name'],
    ['an unknown capture', '{user}/*', '{user}'],
    ['a capture in capitals', '{ID}.json', '{ID}'],
    ['a capture without name', '{}', '{}'],
    ['a brace left open', '{id', '{,'],
    ['a brace that closes nothing', 'id}', '},'],
    ['a brace in a brace', '{{id}}', '{,'],
    ['an id next to anything', '{id}*.jsonl', 'touches'],
    ['anything next to an id', '*{id}', 'touches'],
    ['two captures without a border', '{id}{epoch}', 'touches'],
    ['a session twice', '{session}/{session}', '{session} twice'],
    ['four wildcards in a name', '*a*b*c*', 'more than 3 wildcards'],
    ['a session in a part of a name', 'a/{session}-*.core', 'several ways'],
    ['a group in a part of a name', '{id}.{group}', 'several ways'],
    ['a session between any folders', '**/{session}/**/*', 'several ways'],
    ['a run behind any text', '*-{epoch}.log', 'several ways'],
    ['a run before a digit', '{epoch}0{id}', 'several ways'],
    ['a name too long for a file', `a/${'n'.repeat(256)}`, 'longer than 255 bytes'],
    ['a name too long in bytes', `${'ü'.repeat(127)}{id}é`, 'longer than 255 bytes'],
    ['more folders than are looked into', `${'a/'.repeat(100)}x`, 'more than 100 names'],
    ['what a removal under way leaves', 'a/.sessiond-pruning.x/', 'removal under way'],
    ['four times any folders', '**/a/**/b/**/c/**/d', 'more than 3 times'],
  ])('refuses %s', (_, pattern, told) => {
    expect(patternFault(pattern)?.rule).toContain(told)
  })
})

it('tells what a pattern captures and which names it spells out', () => {
  expect([...capturesOf('{session}/a/{id}-{id}/')].sort()).toEqual(['id', 'session'])
  expect(namesOf('a/**/x-*/b/{id}/latest/')).toEqual(['a', 'b', 'latest'])
})

describe('isCovered', () => {
  it.each([
    ['a/*.log', 'a/*.log'],
    ['a/{id}.json', 'a/*.json'],
    ['a/x-*.json', 'a/*.json'],
    ['a/b/c.log', '**/*.log'],
    ['c.log', '**/*.log'],
    ['**/x/*', '**/*'],
    ['a/**/x', '**/x'],
    ['a/b/*.log', 'a/*/'],
    ['a/b/c/', 'a/**/b/'],
    ['a/{id}', 'a/*'],
    ['a/*.json', 'a/{id}.json'],
    ['**/*.log', '**/*'],
    ['a/**/b/*', 'a/**/*'],
  ])('%s is, by %s', (later, earlier) => {
    expect(isCovered(later, earlier)).toBe(true)
  })

  it.each([
    ['a/*.json', 'a/x-*.json', 'narrower'],
    ['**/x', '*/x', 'one folder only'],
    ['**/x', '*/*/x', 'two folders only'],
    ['**/x', '**/*/x', 'at least one folder'],
    ['a/*/', 'a/*', 'folders are no files'],
    ['a/*', 'a/*/', 'files are no folders'],
    ['a/b', 'a/b/', 'a file of the name of a folder'],
    ['a/b.c', 'a/b?c', 'no pattern sign'],
    ['a/bxc', 'a/b.c', 'no pattern sign either'],
    ['b/*', 'a/*', 'elsewhere'],
  ])('%s is not, by %s: %s', (later, earlier) => {
    expect(isCovered(later, earlier)).toBe(false)
  })
})

it.each<[string, readonly string[], boolean]>([
  ['t/**/*', ['t/*', 't/*/**/*'], true],
  ['t/**/*', ['t/*/**/*', 't/*'], true],
  ['t/**/*', ['t/*', 't/*/*', 't/*/*/**/*'], true],
  ['t/**/*', ['t/*', 't/*/*/**/*'], false],
  ['t/**/*', ['t/*', 't/*/*', 't/*/*/*'], false],
  ['t/**/*', ['t/*', 't/*/'], true],
  ['t/**/*/', ['t/*', 't/*/*/'], false],
  ['t/**/a/**/*', ['t/*', 't/*/**/*'], false],
  ['t/*', [], false],
])('%s is covered by %j together: %s', (later, earlier, expected) => {
  expect(isCoveredTogether(later, earlier)).toBe(expected)
})

it.each<[string, string, boolean]>([
  ['w/logs/old/', 'w/logs/**/*.log', true],
  ['w/logs/*/', 'w/logs/**/*.log', true],
  ['w/logs/', 'w/logs/**/*.log', true],
  ['w/*/', 'w/logs/**/*.log', false],
  ['w/**/*/', 'w/**/*.log', true],
  ['w/**/x/', 'w/*/*/*/*/y', false],
  ['w/a/', 'w/a', false],
  ['w/a/b/', 'w/a/c', false],
  ['w/a', 'w/a/b', false],
])('none that %s names is ever one unit after %s: %s', (later, earlier, expected) => {
  expect(isNeverUnit(later, earlier)).toBe(expected)
})

it.each<[string, string, boolean]>([
  ['w/*/', 'w/.claude/debug/*', true],
  ['w/**/*/', 'w/.claude/debug/*', true],
  ['w/.c*/', 'w/.claude/debug/*', true],
  ['**/', 'w/.claude/debug/*', true],
  ['w/.claude/debug/', 'w/.claude/debug/*', true],
  ['w/.claude/debug/{id}/', 'w/.claude/debug/*', false],
  ['w/**/node_modules/', 'w/.claude/projects/*/{id}.jsonl', false],
  ['w/tmp/*/', 'w/.claude/debug/*', false],
  ['w/*', 'w/.claude/debug/*', false],
])('folders of %s may hold what %s spells out the way to: %s', (folders, pattern, expected) => {
  expect(mayHold(folders, pattern)).toBe(expected)
})

describe('isCovered, against a reading of its own', () => {
  const wildcard = fc.constantFrom('*', '{id}', '{epoch}')
  const literalOf = (...texts: string[]) => fc.constantFrom(...texts)
  const literal = literalOf('a', 'b', 'ab', '.')
  const name = fc.oneof(
    literal,
    wildcard,
    fc.tuple(literal, wildcard).map((parts) => parts.join('')),
    fc.tuple(wildcard, literal).map((parts) => parts.join('')),
    fc.tuple(wildcard, literal, wildcard).map((parts) => parts.join('')),
  )
  const pattern = fc
    .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: name }, fc.constant('**')), { maxLength: 4 }), name, fc.boolean())
    .map(([folders, last, isFolder]) => `${[...folders, last].join('/')}${isFolder ? '/' : ''}`)
    .filter((text) => patternFault(text) === undefined)

  /** A pattern as one expression over whole paths: of files, which end in a name, or of folders with all below them. */
  function expressionOf(text: string): RegExp {
    const source = text
      .replaceAll('.', '\\.')
      .replaceAll('**/', '\u0001')
      .replaceAll('*', '[^/]*')
      .replace(/\{[a-z]+\}/g, '[^/]+')
      .replaceAll('\u0001', '(?:[^/]+/)*')
    return new RegExp(text.endsWith('/') ? `^${source}` : `^${source}(?<!/)$`)
  }

  const filling = fc.array(fc.constantFrom('a', 'b', 'ab', '.x', 'zz'), { minLength: 16, maxLength: 16 })

  /** A path that fits, made by filling its wildcards in. */
  function instanceOf(text: string, fill: readonly string[], depth: number): string {
    let next = 0
    const take = (): string => fill[next++ % fill.length] ?? 'a'
    return text
      .replaceAll('**/', () => Array.from({ length: depth }, () => `${take()}/`).join(''))
      .replace(/\*|\{[a-z]+\}/g, take)
  }

  it('never calls covered what the earlier pattern leaves out', () => {
    fc.assert(
      fc.property(pattern, pattern, filling, fc.nat({ max: 4 }), (later, earlier, fill, depth) => {
        fc.pre(isCovered(later, earlier))
        expect(instanceOf(later, fill, depth)).toMatch(expressionOf(earlier))
      }),
      { numRuns: 2_000, maxSkipsPerRun: 1_000 },
    )
  })

  it('finds for all that it calls not covered a path that the earlier pattern leaves out', () => {
    fc.assert(
      fc.property(pattern, pattern, (later, earlier) => {
        fc.pre(!isCovered(later, earlier))
        const paths = [0, 1, 2, 3].map((depth) => instanceOf(later, ['\u0002'], depth))
        expect(paths.filter((path) => !expressionOf(earlier).test(path))).not.toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })

  it('(F4) finds a clash wherever some path fits both, and none elsewhere', () => {
    const few = fc.oneof(literalOf('a', 'b'), wildcard, fc.constantFrom('a*', '*a', '{id}b', 'b{id}'))
    const short = fc
      .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: few }, fc.constant('**')), { maxLength: 2 }), few, fc.boolean())
      .map(([folders, last, isFolder]) => `${[...folders, last].join('/')}${isFolder ? '/' : ''}`)
    const names = ['a', 'b', 'ab', 'ba', 'bb']
    let paths = ['']
    const all = [1, 2, 3, 4, 5].flatMap(() => {
      paths = paths.flatMap((path) => names.map((name) => `${path}${name}/`))
      return paths
    })
    fc.assert(
      fc.property(short, short, (one, other) => {
        const [a, b] = [expressionOf(one), expressionOf(other)]
        const isFiles = !one.endsWith('/') && !other.endsWith('/')
        // A folder of both, or an entry of the one that lies in a folder of the other.
        const both = all.some((path) => {
          const file = path.slice(0, -1)
          return (a.test(file) && b.test(file)) || (!isFiles && a.test(path) && b.test(path))
        })
        expect([mayClash(one, other), mayClash(other, one)]).toEqual([both, both])
      }),
      { numRuns: 200 },
    )
  })
})
