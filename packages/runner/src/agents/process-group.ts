const live = new Set<number>()
let isArmed = false

/** Remembers a process group, so that none outlives the runner, however the runner ends short of a SIGKILL. */
export function rememberGroup(leaderPid: number): void {
  live.add(leaderPid)
  if (isArmed) return
  isArmed = true
  process.on('exit', () => {
    for (const pid of live) signalGroup(pid, 'SIGKILL')
  })
}

/** Ends what is left of a group whose leader has exited. Call at once: its number is free for others afterwards. */
export function endGroup(leaderPid: number): void {
  live.delete(leaderPid)
  signalGroup(leaderPid, 'SIGKILL')
}

/** Sends a signal to every process of the group; one that is gone is no error. */
export function signalGroup(leaderPid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leaderPid, signal)
  } catch (error) {
    // EPERM is how macOS answers for a group of zombies.
    const isGone = error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')
    if (!isGone) throw error
  }
}
