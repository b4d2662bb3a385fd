import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runAgent } from '@sessiond/runner'

export type Mood = 'well' | 'crashes' | 'hangs' | 'spins' | 'computes' | 'declares'

const never = new Promise<never>(() => {})

/** Behaves as the message says on its first try, and well on every later one. */
await runAgent(async ([message], context) => {
  const tried = join(context.workDir, 'tried')
  if (existsSync(tried)) return 'again'
  writeFileSync(tried, '')
  console.log(`in the mood for ${message?.text}`)
  switch (message?.text as Mood) {
    case 'crashes':
      return process.exit(3)
    case 'hangs':
      context.tool('fetch')
      return never
    case 'spins':
      for (;;);
    case 'computes':
      return compute(context.tool('build'), 25_000)
    case 'declares':
      return wait(context.tool('sleep', { timeoutMs: 60_000 }), 25_000)
    case 'well':
      return never
  }
})

/** Silent for its whole time, but for what it burns. */
async function compute(lease: { end(): void }, forMs: number): Promise<string> {
  const script = `const end = Date.now() + ${forMs}; while (Date.now() < end);`
  await new Promise((resolve) => spawn(process.execPath, ['-e', script]).once('exit', resolve))
  lease.end()
  return 'built'
}

async function wait(lease: { end(): void }, forMs: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, forMs))
  lease.end()
  return 'slept'
}
