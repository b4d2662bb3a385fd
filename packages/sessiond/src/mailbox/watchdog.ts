import { Worker } from 'node:worker_threads'

/** Runs in a thread of its own, which still turns while native code blocks the process's main thread. */
const PROGRAM = `
const { workerData } = require('node:worker_threads')
const { ticks, limitMs } = workerData
for (;;) {
  const seen = Atomics.load(ticks, 0)
  // Even: idle, wait for work as long as it takes.
  const limit = seen % 2 === 0 ? Infinity : limitMs
  if (Atomics.wait(ticks, 0, seen, limit) === 'timed-out') process.kill(process.pid, 'SIGKILL')
}
`

/** Marks the beginning and the end of a piece of work. */
export interface Watchdog {
  begin(): void
  end(): void
}

/**
 * Kills this process when one piece of work lasts longer than `limitMs`. The host does that sooner; this is for
 * the reader whose host died while it hangs in a hostile file, so that it does not hang there for ever.
 */
export function startWatchdog(limitMs: number): Watchdog {
  const ticks = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(PROGRAM, {
    eval: true,
    workerData: { ticks, limitMs },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  })
  thread.unref()
  const step = () => {
    Atomics.add(ticks, 0, 1)
    Atomics.notify(ticks, 0)
  }
  return { begin: step, end: step }
}
