import { describeError } from '../errors.ts'
import type { MailboxClient } from '../mailbox-client.ts'
import type { RunnerWorld } from '../world.ts'

const BEAT_MS = 5_000

export interface StartBeatOptions {
  readonly mailbox: Pick<MailboxClient, 'beat'>
  readonly world: RunnerWorld
  readonly log: (line: string) => void
}

/**
 * Beats at once and every 5 s from then on; returns how to stop. The first beat must succeed, a later one that
 * fails is told once per outage: work may still come to a good end.
 */
export async function startBeat({ mailbox, world, log }: StartBeatOptions): Promise<() => void> {
  await mailbox.beat()
  let isFailing = false
  let isStopped = false
  let cancel = () => {}
  const beat = async () => {
    try {
      await mailbox.beat()
      isFailing = false
    } catch (error) {
      if (!isFailing) log(`the heartbeat fails: ${describeError(error)}`)
      isFailing = true
    }
    if (!isStopped) cancel = world.setTimer(BEAT_MS, beat)
  }
  cancel = world.setTimer(BEAT_MS, beat)
  return () => {
    isStopped = true
    cancel()
  }
}
