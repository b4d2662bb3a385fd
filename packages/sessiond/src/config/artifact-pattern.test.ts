import { describe, expect, it } from 'vitest'
import { capturesOf, isCovered, nameOf, patternFault } from './artifact-pattern.ts'

describe('patternFault', () => {
  it.each([
    '*',
    '*/',
    'a b/ü/*.log',
    '**/*',
    '**/cache/**/*.tmp',
    'logs/[a-z]?.txt',
    '{group}/{session}/work/{epoch}.{id}.json',
    '{id}-agent-{id}.json',
    '...',
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
    ['four times any folders', '**/a/**/b/**/c/**/d', 'more than 3 times'],
  ])('refuses %s', (_, pattern, told) => {
    expect(patternFault(pattern)?.rule).toContain(told)
  })
})

it('tells what a pattern captures and which name it spells out', () => {
  expect([...capturesOf('{session}/a/{id}-{id}/')].sort()).toEqual(['id', 'session'])
  expect(['a/latest', 'a/latest/', 'a/*.log', '{id}'].map(nameOf)).toEqual(['latest', 'latest', undefined, undefined])
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
