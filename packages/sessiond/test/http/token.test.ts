import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureToken, readToken, TOKEN_FILE } from '../../src/http/token.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sessiond-token-'))
  path = join(dir, TOKEN_FILE)
})
afterEach(() => rm(dir, { recursive: true }))

describe('ensureToken', () => {
  it('makes a token of 32 random bytes that nobody else can read', async () => {
    const token = await ensureToken(dir)
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toBe(`${token}\n`)
  })

  it('makes it private whatever the umask', async () => {
    const before = process.umask(0)
    try {
      await ensureToken(dir)
    } finally {
      process.umask(before)
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('keeps the token that is there, and never makes the same one twice', async () => {
    const token = await ensureToken(dir)
    expect(await ensureToken(dir)).toBe(token)
    await rm(path)
    expect(await ensureToken(dir)).not.toBe(token)
  })

  it('fills a file that an earlier host left empty when it died', async () => {
    await writeFile(path, '', { mode: 0o600 })
    const token = await ensureToken(dir)
    expect(await readToken(dir)).toBe(token)
  })

  it('says what is wrong where no file can be made', async () => {
    await expect(ensureToken(join(dir, 'none'))).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })
})

describe('readToken', () => {
  it('reads what ensureToken made', async () => {
    const token = await ensureToken(dir)
    expect(await readToken(dir)).toBe(token)
  })

  it('says that no host has run where there is no token yet, or an empty one', async () => {
    await expect(readToken(dir)).rejects.toMatchObject({ code: 'HOST_NOT_RUNNING' })
    await writeFile(path, '', { mode: 0o600 })
    await expect(readToken(dir)).rejects.toMatchObject({ code: 'HOST_NOT_RUNNING' })
  })

  it.each([0o640, 0o604, 0o660, 0o601])('refuses a file other users can open (mode %o)', async (mode) => {
    await ensureToken(dir)
    await chmod(path, mode)
    for (const read of [readToken, ensureToken]) {
      await expect(read(dir)).rejects.toMatchObject({
        code: 'DATA_DIR_UNUSABLE',
        message: expect.stringContaining(`(mode ${mode.toString(8)})`),
        fields: { path },
      })
    }
  })

  it('follows no link', async () => {
    const target = join(dir, 'target')
    await writeFile(target, 'x'.repeat(43), { mode: 0o600 })
    await symlink(target, path)
    await expect(readToken(dir)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
    await expect(ensureToken(dir)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })

  it('takes a hard link, which is the file itself', async () => {
    const token = await ensureToken(dir)
    await link(path, join(dir, 'other'))
    expect(await readToken(dir)).toBe(token)
  })

  it('refuses a folder', async () => {
    await mkdir(path, { mode: 0o700 })
    await expect(readToken(dir)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  })

  it.each(['short', 'with a blank in the middle of it, so it is no token', 'x'.repeat(5000)])(
    'refuses what is no token: %s',
    async (text) => {
      await writeFile(path, text, { mode: 0o600 })
      const failure = await readToken(dir).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'DATA_DIR_UNUSABLE', message: expect.stringContaining('does not hold') })
      expect(String(failure)).not.toContain(text.slice(0, 20))
    },
  )
})
