import { execFileSync } from 'node:child_process'
import { linkSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  activeWith,
  age,
  contentsOf,
  DAY_MS,
  makeBed,
  type PruneBed,
  ruleOf,
  type Seen,
  snapshot,
} from './prune-bed.ts'

type Node =
  | { readonly kind: 'folder'; readonly nodes: Nodes; readonly ageDays: number }
  | { readonly kind: 'file'; readonly ageDays: number; readonly bytes: number }
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'hard'; readonly to: 'inside' | 'outside'; readonly name: string }
  | { readonly kind: 'fifo' }
type Nodes = readonly (readonly [name: string, node: Node])[]

/** As Latin-1, one character a byte: the last ones are no UTF-8, and one that is and looks as if it were not. */
const NAMES = [
  'a.log',
  'b.log',
  'c.log',
  '.log',
  '-rf.log',
  ' .log',
  'two\nlines.log',
  '*.log',
  '{id}.log',
  'held',
  'free',
  'x',
  'logs',
  'latest.log',
  '~',
  '$(id).log',
  `${'n'.repeat(251)}.log`,
  'm'.repeat(255),
  '\xc3\xa4.log',
  '\xff.log',
  '\xc3',
  '\xef\xbf\xbd.log',
]

/** Mostly old, so that whole units are. */
const anyAgeDays = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 4, max: 9 }) }, fc.integer({ min: -3, max: 3 }))

const { root: anyNodes } = fc.letrec<{ root: Nodes; node: Node }>((tie) => ({
  root: fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie('node')), { selector: ([name]) => name, maxLength: 6 }),
  node: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    fc.record({ kind: fc.constant('file' as const), ageDays: anyAgeDays, bytes: fc.nat(9_000) }),
    fc.record({ kind: fc.constant('folder' as const), nodes: tie('root'), ageDays: anyAgeDays }),
    fc.record({
      kind: fc.constant('link' as const),
      to: fc.constantFrom('.', '..', '../..', 'a.log', 'OUTSIDE', 'OUTSIDE/x.log', '/', 'nowhere'),
    }),
    fc.record({
      kind: fc.constant('hard' as const),
      to: fc.constantFrom('inside' as const, 'outside' as const),
      name: fc.constantFrom('1', '2'),
    }),
    fc.record({ kind: fc.constant('fifo' as const) }),
  ),
}))

/** Several in one go, because it is processes that take time. */
const anyTrees = fc.array(fc.record({ logs: anyNodes, held: anyNodes, free: anyNodes }), { minLength: 5, maxLength: 5 })
type Tree = Readonly<Record<'logs' | 'held' | 'free', Nodes>>

/** Half a day between any age and the bound: a slow machine changes nothing. */
const BOUND_DAYS = 3.5
const LONG_AGO = new Date(1e12)

test('(F5, G3) of any tree exactly what is due goes, and all else is what it was, byte by byte', async () => {
  let removed = 0
  let units = 0
  const property = fc.asyncProperty(anyTrees, async (trees) => {
    await using bed = await makeBed()
    build(bed, trees)
    const rules = [
      ruleOf(bed.root, ['*/logs/**/*.log'], { maxAgeMs: BOUND_DAYS * DAY_MS, keep: ['latest.log'] }),
      ruleOf(bed.root, ['*/units/{id}/'], { name: 'units', maxAgeMs: BOUND_DAYS * DAY_MS, protects: ['id'] }),
    ]
    const active = activeWith({ ids: new Set(['held']) })
    const seen = snapshot(bed.root)
    const before = contentsOf(bed.root)
    const outside = contentsOf(bed.outside)
    const due = dueOf(seen, Date.now())
    const plan = await bed.plan(rules, { active })
    expect(contentsOf(bed.root)).toEqual(before)
    await bed.apply(plan, { readActive: async () => active })
    for (const path of due) before.delete(path)
    expect(contentsOf(bed.root)).toEqual(before)
    expect(contentsOf(bed.outside)).toEqual(outside)
    const promised = plan.removals.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(promised).toBeLessThanOrEqual(bytesFreed(seen, due))
    expect((await bed.plan(rules, { active })).removals).toEqual([])
    removed += due.size
    for (const tree of trees.keys()) units += Number(due.has(`${tree}/units/free`))
  })
  await fc.assert(property, { numRuns: 5 })
  expect(removed).toBeGreaterThan(40)
  expect(units).toBeGreaterThan(4)
}, 180_000)

function build(bed: PruneBed, trees: readonly Tree[]): void {
  const shared = join(bed.dir, 'shared')
  mkdirSync(shared)
  execFileSync('mkfifo', [join(shared, 'fifo')])
  age(join(shared, 'fifo'), 6 * DAY_MS)
  bed.write('../outside/x.log')
  bed.write('../outside/deep/a.log')
  for (const name of ['1', '2']) {
    for (const place of ['inside', 'outside']) bed.write(`../shared/${place}${name}`, { ageMs: 6 * DAY_MS })
    linkSync(join(shared, `outside${name}`), join(bed.outside, name))
  }
  for (const [index, { logs, held, free }] of trees.entries()) {
    const tree = join(bed.root, `${index}`)
    for (const [path, nodes] of [
      ['logs', logs],
      ['units/held', held],
      ['units/free', free],
    ] as const) {
      mkdirSync(join(tree, path), { recursive: true })
      buildNodes(bed, join(tree, path), nodes)
    }
    for (const unit of ['held', 'free']) age(join(tree, 'units', unit), 6 * DAY_MS)
  }
  // Only names below the root, and outside of it, are left.
  rmSync(shared, { recursive: true })
}

function buildNodes(bed: PruneBed, folder: string | Buffer, nodes: Nodes): void {
  for (const [name, node] of nodes) {
    const path = Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name, 'latin1')])
    if (node.kind === 'folder') {
      mkdirSync(path)
      buildNodes(bed, path, node.nodes)
    } else if (node.kind === 'file') writeFileSync(path, 'x'.repeat(node.bytes))
    else if (node.kind === 'link') symlinkSync(node.to.replace('OUTSIDE', bed.outside), path)
    else linkSync(join(bed.dir, 'shared', node.kind === 'fifo' ? 'fifo' : node.to + node.name), path)
    if (node.kind === 'link') lutimesSync(path, LONG_AGO, LONG_AGO)
    if (node.kind === 'folder' || node.kind === 'file') age(path, node.ageDays * DAY_MS)
  }
}

/** The rules of the test, read off a listing without any of the machinery. */
function dueOf(seen: ReadonlyMap<string, Seen>, nowMs: number): Set<string> {
  const due = new Set<string>()
  const isOld = (path: string) => nowMs - (seen.get(path)?.mtimeMs ?? nowMs) > BOUND_DAYS * DAY_MS
  const hasText = (path: string) => !Buffer.from(path, 'latin1').toString().includes('\uFFFD')
  for (const [path, { kind }] of seen) {
    if (!/^\d+\/logs\//.test(path) || kind !== 'file' || !path.endsWith('.log') || !isOld(path)) continue
    // A name that is kept keeps what is in a folder of that name too.
    if (hasText(path) && !/\/latest\.log(?=\/|$)/.test(path)) due.add(path)
  }
  const units = Map.groupBy(seen.keys(), (path) => /^\d+\/units\/free(?=\/|$)/.exec(path)?.[0])
  for (const [unit, paths] of units) {
    if (unit !== undefined && paths.every(isOld)) for (const path of paths) due.add(path)
  }
  return due
}

function bytesFreed(seen: ReadonlyMap<string, Seen>, due: ReadonlySet<string>): number {
  const names = new Map<number, number>()
  let bytes = 0
  for (const [path, { kind, ino, links, diskBytes }] of seen) {
    if (kind !== 'file' || !due.has(path)) continue
    names.set(ino, (names.get(ino) ?? 0) + 1)
    if (names.get(ino) === links) bytes += diskBytes
  }
  return bytes
}
