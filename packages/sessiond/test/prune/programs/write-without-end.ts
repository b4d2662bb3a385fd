import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

/** A run that goes on writing into every folder there is, under whatever name it goes. */
const [root = ''] = process.argv.slice(2)
const LONG_AGO = new Date(1e12)
let written = 0

/** Empty and old, so that nothing about a folder has changed to whoever looks at lengths and times. */
function write(folder: string): void {
  try {
    for (let times = 0; times < 5; times += 1) {
      const path = join(folder, `new-${written}`)
      writeFileSync(path, '')
      utimesSync(path, LONG_AGO, LONG_AGO)
      utimesSync(folder, LONG_AGO, LONG_AGO)
      written += 1
    }
  } catch {
    // It was removed just now.
  }
}

function writeAll(): void {
  for (const unit of readdirSync(root)) write(join(root, unit, 'in'))
}

process.on('disconnect', () => process.exit(0))
process.on('message', () => process.send?.(written))
process.send?.('ready')
for (;;) {
  writeAll()
  await setImmediate()
}
