import { expect, test } from 'vitest'
import { weightOf } from './seen-entry.ts'

const ID = '0b9ae0f8-4d2b-4b5e-9f0e-6f1f4f3a2c11'

test.each([
  ['of common size', 'g/main/work/.claude/projects/-workspace/x.jsonl', [ID], 1],
  ['with a long path', 'x'.repeat(600), [], 3],
  ['with many ids, as an enemy names it', 'x'.repeat(245), Array(24).fill('a-agent-'.repeat(15)), 16],
])('an entry %s has its weight in memory', (_, path, ids, weight) => {
  expect(weightOf({ path, ids })).toBe(weight)
})
