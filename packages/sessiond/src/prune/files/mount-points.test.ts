import { expect, test } from 'vitest'
import { parseMountInfo, readMountPoints } from './mount-points.ts'

test('reads where things are mounted, with blanks and other bytes in their paths', () => {
  const text = [
    '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    '30 22 254:0 /var/out /data/two\\040words/\\134x rw,relatime shared:1 - ext4 /dev/vda rw',
    '31 22 0:27 / /data/b\xff rw - tmpfs tmpfs rw',
    '',
  ].join('\n')
  expect([...parseMountInfo(text)]).toEqual(['/', '/data/two words/\\x', '/data/b\xff'])
})

test('knows where the root of all is mounted, where the system says so', ({ skip }) => {
  if (process.platform !== 'linux') skip('Mount points are read in /proc.')
  expect(readMountPoints()).toContain('/')
})
