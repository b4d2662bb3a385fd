import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { makeV2, makeV2Mailbox, v2Session, writeEndlessTree } from '@sessiond/testkit/nanoclaw'
import { afterEach, expect, it, vi } from 'vitest'
import { openInstallation } from '../../src/nanoclaw/open-installation.ts'
import { realWorld } from '../../src/world.ts'
import { makeRoot } from './installation-fixture.ts'

const SESSION = { group: 'ag-1', session: 'sess-1' }

afterEach(() => void vi.unstubAllEnvs())

it('removes the copies of a reader that it killed before it reads anything else (G5)', async () => {
  await using place = await makeRoot()
  await using temp = await makeRoot()
  vi.stubEnv('TMPDIR', temp.root)
  makeV2(place.root, [{ group: SESSION.group, id: SESSION.session }]).close()
  makeV2Mailbox(place.root, SESSION.group, SESSION.session)
  const file = join(place.root, v2Session(SESSION.group, SESSION.session), 'outbound.db')
  unlinkSync(file)
  writeEndlessTree(file, 'session_state', { key: 'theme', value: 'x' })
  await using reader = await openInstallation(place.root, 'nanoclaw-v2', realWorld, { sessionMs: 1_000 })
  await expect(reader.read('readHold', SESSION)).rejects.toThrow('no answer in 1000 ms')
  const [folder = ''] = readdirSync(temp.root)
  expect(readdirSync(join(temp.root, folder))).toEqual([])
  expect(await reader.read('readV2', {})).toMatchObject({ sessions: [{ id: SESSION.session }] })
})
