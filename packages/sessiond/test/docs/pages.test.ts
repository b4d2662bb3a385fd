import { readFileSync } from 'node:fs'
import { INBOUND_SCHEMA, OUTBOUND_SCHEMA, RUN_ENV, RUNNER_EXIT } from '@sessiond/protocol'
import { describe, expect, it } from 'vitest'
import { JOURNAL_TYPES } from '../../src/model/journal.ts'
import { MESSAGE_STATUSES } from '../../src/model/message.ts'
import { RUN_ENDS, RUN_STATES } from '../../src/model/run.ts'

function page(name: string): string {
  return readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
}

/** Names in the page's code spans. */
function spans(name: string): Set<string> {
  return new Set([...page(name).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? ''))
}

function columns(schema: string): string[] {
  const rows = schema.split('\n').filter((line) => /^ {2}[a-z]/.test(line))
  return rows.map((line) => line.trim().split(' ')[0] ?? '')
}

describe('docs/protocol.md', () => {
  const named = spans('protocol.md')
  it.each([...new Set([...columns(INBOUND_SCHEMA), ...columns(OUTBOUND_SCHEMA)])])('names the column %s', (column) => {
    expect(named).toContain(column)
  })

  it.each(Object.values(RUN_ENV))('names the variable %s', (variable) => {
    expect(named).toContain(variable)
  })

  it.each(Object.entries(RUNNER_EXIT))('names the exit code %s', (_, code) => {
    expect(page('protocol.md')).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'))
  })
})

describe('docs/state-machine.md', () => {
  it.each([...MESSAGE_STATUSES, ...RUN_STATES, ...RUN_ENDS])('names %s', (state) => {
    expect(spans('state-machine.md')).toContain(state)
  })

  it('draws no journal line that does not exist', () => {
    const drawn = [...page('state-machine.md').matchAll(/\b([a-z]+:[a-z][A-Za-z]+)\b/g)].map((match) => match[1])
    expect(drawn.filter((type) => !(JOURNAL_TYPES as readonly (string | undefined)[]).includes(type))).toEqual([])
  })
})

describe('docs/operations.md', () => {
  it.each(JOURNAL_TYPES)('says what %s means', (type) => {
    expect(spans('operations.md')).toContain(type)
  })
})
