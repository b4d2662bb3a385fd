import { meetsTarget, type Row, type Target, type Unit } from './benchmark.ts'
import { roundFigure } from './statistics.ts'

const UNIT: Readonly<Record<Unit, string>> = {
  ms: ' ms',
  ratio: 'x',
  '/s': ' /s',
  '%': ' %',
  MB: ' MB',
  s: ' s',
  count: '',
}

/** The one table of a run: what, figure, target, verdict; what the figures rest on stands below it. */
export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map((row, index) => [
    row.what,
    figureOf(row),
    targetOf(row),
    verdictOf(row),
    row.note === '' ? '' : `[${index + 1}]`,
  ])
  const table = [['what', 'figure', 'target', 'result', ''], ...lines]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => (line[column] ?? '').length)))
  const printed = table.map((line) =>
    line
      .map((cell, column) =>
        column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const notes = rows.flatMap((row, index) => (row.note === '' ? [] : [`[${index + 1}] ${row.note}`]))
  return [...printed, '', ...notes].join('\n')
}

/** `ok`, `missed`, `-` where there is no target, `skipped` where nothing was measured. */
export function verdictOf(row: Row): 'ok' | 'missed' | '-' | 'skipped' {
  if (row.value === null) return 'skipped'
  const isMet = meetsTarget(row)
  if (isMet === null) return '-'
  return isMet ? 'ok' : 'missed'
}

function figureOf({ value, unit }: Row): string {
  return value === null ? '-' : `${roundFigure(value)}${UNIT[unit]}`
}

function targetOf({ target, unit }: Row): string {
  return target === null ? '-' : `${signOf(target)} ${roundFigure(boundOf(target))}${UNIT[unit]}`
}

function signOf(target: Target): string {
  return 'atMost' in target ? '<=' : '>='
}

function boundOf(target: Target): number {
  return 'atMost' in target ? target.atMost : target.atLeast
}
