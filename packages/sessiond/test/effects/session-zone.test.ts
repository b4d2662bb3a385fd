import { afterEach, beforeEach, expect, it } from 'vitest'
import { projectionOf } from '../../src/effects/project-mailbox.ts'
import { type EffectsFixture, makeEffectsFixture } from './effects-fixture.ts'

let fixture: EffectsFixture
beforeEach(async () => {
  fixture = await makeEffectsFixture()
})
afterEach(() => fixture.close())

async function zoneWith(groups: EffectsFixture['deps']['config']['groups']): Promise<string | null> {
  const { deps } = fixture
  const run = await fixture.start()
  return (await projectionOf({ ...deps, config: { ...deps.config, groups } }, run, [])).timeZone
}

it('a run is told the zone of its group', async () => {
  await fixture.send('m-1')
  expect(await zoneWith(new Map([['g', { ...fixture.group, timeZone: 'Asia/Tokyo' }]]))).toBe('Asia/Tokyo')
})

it('a run whose group has left the configuration is told no zone', async () => {
  await fixture.send('m-1')
  expect(await zoneWith(new Map())).toBeNull()
})
