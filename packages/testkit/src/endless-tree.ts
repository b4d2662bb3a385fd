import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const PAGE = 4096
const LEVELS = 8
const CHILDREN = 500

/**
 * Makes a database of one plain table whose tree visits the same leaf 500^8 times: well-formed page by page, and
 * no scan of it ends. A reader of it can only be killed.
 */
export function writeEndlessTree(
  path: string,
  table: string,
  row: Readonly<Record<string, string | number>> = { id: 'never', seq: 0, kind: 'chat', content: '{}' },
): void {
  const columns = Object.keys(row)
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size=${PAGE}; CREATE TABLE ${table} (${columns.join(', ')})`)
  db.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`).run(...Object.values(row))
  db.close()
  const file = readFileSync(path)
  // Page 1 is the schema, page 2 the table's root and only leaf: move the leaf away and build a tree above it.
  const leaf = file.subarray(PAGE, 2 * PAGE)
  const levels = Array.from({ length: LEVELS }, (_, level) => interiorPage(level === 0 ? 3 : level + 3))
  const pages = [file.subarray(0, PAGE), interiorPage(LEVELS + 3), leaf, ...levels]
  const whole = Buffer.concat(pages)
  whole.writeUInt32BE(pages.length, 28)
  writeFileSync(path, whole)
}

/** An interior page of a table's tree, all of whose children are one page. */
function interiorPage(child: number): Buffer {
  const page = Buffer.alloc(PAGE)
  const cell = 4 + 1
  page.writeUInt8(5, 0)
  page.writeUInt16BE(CHILDREN, 3)
  page.writeUInt16BE(PAGE - CHILDREN * cell, 5)
  page.writeUInt32BE(child, 8)
  for (let index = 0; index < CHILDREN; index += 1) {
    const at = PAGE - (index + 1) * cell
    page.writeUInt16BE(at, 12 + 2 * index)
    page.writeUInt32BE(child, at)
    page.writeUInt8(index % 128, at + 4)
  }
  return page
}
