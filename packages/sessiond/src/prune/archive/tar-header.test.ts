import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TAR_END, type TarEntry, tarHeader, tarPadding } from './tar-header.ts'

const GIB = 1024n ** 3n

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tar-header-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function entry(name: string, more: Partial<TarEntry> = {}): TarEntry {
  const plain = { mode: 0o644n, uid: 1n, gid: 2n, size: 0n, mtimeS: 3n } as const
  return { name: Buffer.from(name), type: 'file', ...plain, ...more }
}

/** An archive of these entries whose files hold nothing but holes, so that it takes no room. */
function archiveOf(entries: readonly TarEntry[]): string {
  const path = join(dir, 'archive.tar')
  const file = openSync(path, 'w')
  let at = 0
  for (const each of entries) {
    const header = tarHeader(each)
    writeSync(file, header, 0, header.length, at)
    at += header.length + Number(each.size) + tarPadding(each.size).length
  }
  writeSync(file, TAR_END, 0, TAR_END.length, at)
  closeSync(file)
  return path
}

/** What GNU tar says is in an archive. */
function listed(path: string): string[] {
  const options = ['--numeric-owner', '--full-time', '--quoting-style=escape', '-tvf']
  const text = execFileSync('tar', [...options, path], { encoding: 'utf8', env: { TZ: 'UTC', PATH: process.env.PATH } })
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '))
}

describe('a tar header', () => {
  it.each([
    ['a byte below 8 GiB', 8n * GIB - 1n],
    ['8 GiB', 8n * GIB],
    ['a byte above 8 GiB', 8n * GIB + 1n],
    ['a terabyte', 1024n * GIB],
  ])('(invariant 10) tells the size of a file of %s, and nothing in it is read as an entry', (_, size) => {
    const path = archiveOf([entry('s/large', { size }), entry('s/next', { size: 5n })])
    expect(statSync(path).size).toBeGreaterThan(Number(size))
    expect(listed(path)).toEqual([
      `-rw-r--r-- 1/2 ${size} 1970-01-01 00:00:03 s/large`,
      '-rw-r--r-- 1/2 5 1970-01-01 00:00:03 s/next',
    ])
  })

  it.each([
    ['of the highest that octal digits hold', 2_097_151n, 8_589_934_591n, '2242-03-16 12:56:31'],
    ['one above that', 2_097_152n, 8_589_934_592n, '2242-03-16 12:56:32'],
    ['of the highest there is, in 1950', 4_294_967_294n, -631_152_000n, '1950-01-01 00:00:00'],
    ['of root, just before 1970', 0n, -1n, '1969-12-31 23:59:59'],
  ])('tells owners and times as they are: %s', (_, owner, mtimeS, time) => {
    const path = archiveOf([entry('s/a', { uid: owner, gid: owner, mtimeS }), entry('s/b')])
    expect(listed(path)).toEqual([
      `-rw-r--r-- ${owner}/${owner} 0 ${time} s/a`,
      '-rw-r--r-- 1/2 0 1970-01-01 00:00:03 s/b',
    ])
  })

  it('tells every mode, that of nobody too', () => {
    const path = archiveOf([entry('s/a', { mode: 0n }), entry('s/b', { mode: 0o7777n })])
    expect(listed(path).map((line) => line.slice(0, 10))).toEqual(['----------', '-rwsrwsrwt'])
  })

  it.each([99, 100, 101, 255, 511, 512, 513, 4_095])('tells names and targets of %i bytes', (bytes) => {
    const name = `s/${'n'.repeat(bytes - 2)}`
    const target = Buffer.from('t'.repeat(bytes))
    const path = archiveOf([
      entry(name, { size: 700n }),
      entry(`S${name.slice(1)}/`, { type: 'directory' }),
      entry(name, { type: 'symlink', target }),
      entry('s/link', { type: 'link', target: Buffer.from(name) }),
    ])
    expect(listed(path).map((line) => line.split(' ').slice(5).join(' '))).toEqual([
      name,
      `S${name.slice(1)}/`,
      `${name} -> ${target}`,
      `s/link link to ${name}`,
    ])
  })

  it('keeps names that have no text, and those with a newline or a lone quote, byte for byte', () => {
    const bytes = Buffer.concat([Buffer.from('s/'), Buffer.from([0xfe, 0x0a, 0x22])])
    const long = Buffer.concat([bytes, Buffer.alloc(200, 0xff)])
    const path = archiveOf([entry('', { name: bytes }), entry('', { name: long })])
    expect(listed(path).map((line) => line.split(' ').at(-1))).toEqual([
      's/\\376\\n"',
      `s/\\376\\n"${'\\377'.repeat(200)}`,
    ])
  })

  it('means the same to a reader of another make', () => {
    const name = `s/${'n'.repeat(300)}`
    const path = archiveOf([
      entry(name, { size: 8n * GIB, uid: 4_294_967_294n, gid: 2_097_152n, mtimeS: -631_152_000n, mode: 0n }),
      entry('s/symlink', { type: 'symlink', target: Buffer.from(name), mtimeS: 8_589_934_592n }),
      entry('s/link', { type: 'link', target: Buffer.from(name) }),
      entry('', { name: Buffer.from([0xfe]) }),
    ])
    const program = `
import json, sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    print(json.dumps([dict(m.get_info(), type=str(m.type)) for m in archive]))`
    expect(JSON.parse(execFileSync('python3', ['-c', program, path], { encoding: 'utf8' }))).toMatchObject([
      { name, size: Number(8n * GIB), uid: 4_294_967_294, gid: 2_097_152, mtime: -631_152_000, mode: 0 },
      { name: 's/symlink', linkname: name, mtime: 8_589_934_592 },
      { name: 's/link', linkname: name },
      // Python's way to write a byte without a text.
      { name: '\uDCFE', uid: 1, gid: 2, mtime: 3, mode: 0o644 },
    ])
  })
})
