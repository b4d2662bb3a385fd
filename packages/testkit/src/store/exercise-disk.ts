import { describe, expect, test } from 'vitest'
import { type MakeStoreHarness, NOW, useStore } from './store-harness.ts'

/** Whether the disk is low, put on record once. */
export function exerciseDisk(makeHarness: MakeStoreHarness): void {
  describe('the record of a low disk', () => {
    const s = useStore(makeHarness)
    const record = (isLow: boolean, freeBytes: number) => s.store.recordDisk({ isLow, detail: { freeBytes } }, NOW)
    const noted = async () => {
      const lines = await s.store.readJournal({ afterId: 0, limit: 100 })
      return lines.filter(({ type }) => type.startsWith('disk:')).map(({ type, detail }) => [type, detail.freeBytes])
    }

    test('is made once, and told once, until the contrary is recorded', async () => {
      expect(await s.store.isDiskLow()).toBe(false)
      expect(await record(false, 9)).toBe(false)
      expect(await Promise.all([record(true, 1), record(true, 2)])).toEqual([true, false])
      expect(await s.store.isDiskLow()).toBe(true)
      expect(await Promise.all([record(false, 3), record(false, 4), record(true, 5)])).toEqual([true, false, true])
      expect(await noted()).toEqual([
        ['disk:low', 1],
        ['disk:recovered', 3],
        ['disk:low', 5],
      ])
    })

    test('is kept while the store is closed', async () => {
      await record(true, 1)
      await s.reopen()
      expect(await s.store.isDiskLow()).toBe(true)
      expect(await record(true, 2)).toBe(false)
      expect(await noted()).toEqual([['disk:low', 1]])
    })
  })
}
