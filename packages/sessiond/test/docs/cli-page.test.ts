import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { CliContext } from '../../src/cli/cli-context.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { createProgram } from '../../src/cli/program.ts'

const PAGE = new URL('../../../../docs/cli.md', import.meta.url)

describe('docs/cli.md', () => {
  it('lists every exit code, and no other', async () => {
    const text = await readFile(PAGE, 'utf8')
    const onPage = [...text.matchAll(/^\| (\d+) +\| `(\w+)`/gm)].map(([, code, name]) => [name, Number(code)])
    expect(Object.fromEntries(onPage)).toEqual(EXIT)
  })

  it('lists every command, and no other', async () => {
    const text = await readFile(PAGE, 'utf8')
    const rows = text.split('\n').filter((line) => /^\| `[a-z]/.test(line))
    const onPage = new Set(
      rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name)),
    )
    const known = createProgram({} as CliContext, false).commands.map((command) => command.name())
    expect([...onPage].sort()).toEqual([...known].sort())
  })

  it('has a help text for every command, with --json and --config', () => {
    const commands = createProgram({} as CliContext, false).commands.flatMap((command) =>
      command.commands.length === 0 ? [command] : command.commands,
    )
    const incomplete = commands.filter((command) => {
      const help = command.helpInformation()
      return !help.includes('--json') || !help.includes('--config') || command.description() === ''
    })
    expect(incomplete.map((command) => command.name())).toEqual([])
  })
})
