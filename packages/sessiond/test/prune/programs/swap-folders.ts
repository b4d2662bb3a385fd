import { readdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

/** A hostile run: turns its folders into links to the same folders elsewhere and back, over and over. */
const [root = '', elsewhere = ''] = process.argv.slice(2)
const FOLDERS = ['logs', 'logs/sub', 'logs/sub/deep', 'units', 'units/u', 'units/u/in']
let swaps = 0

function swap(own: string, folder: string): void {
  const path = join(root, own, folder)
  try {
    renameSync(path, `${path}.aside`)
    symlinkSync(join(elsewhere, folder), path)
    swaps += 1
  } catch {
    // Whoever prunes, or fills the folders anew, came first.
  }
  try {
    unlinkSync(path)
  } catch {}
  try {
    renameSync(`${path}.aside`, path)
  } catch {
    rmSync(`${path}.aside`, { recursive: true, force: true })
  }
}

process.on('disconnect', () => process.exit(0))
process.on('message', () => process.send?.(swaps))
process.send?.('ready')
for (;;) {
  for (const own of readdirSync(root)) {
    for (let times = 0; times < 10; times += 1) for (const folder of FOLDERS) swap(own, folder)
  }
  await setImmediate()
}
