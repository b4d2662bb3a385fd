import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/sessiond.js', import.meta.url))

describe('bin/sessiond.js', () => {
  it('says in one line what it needs under an older Node', () => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, BIN, 'up']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^sessiond needs Node 24 or newer; this is v20\.1\.0\. .*\n$/)
  })

  it('has no syntax an older Node would stumble over before it can say so', () => {
    const code = readFileSync(BIN, 'utf8').replace(/\/\/.*$|'[^'\n]*'/gm, '0')
    expect(code).not.toMatch(
      /\b(?:const|let|class|await|async)\b|=>|`|,\s*[)\]}]|\.\.\.|\?\.|\?\?|\bimport\b|\brequire\b/,
    )
  })
})
