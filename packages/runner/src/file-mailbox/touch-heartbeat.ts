import { closeSync, constants, futimesSync, openSync } from 'node:fs'

/** Sets the file's modification time to now, making the file if there is none. */
export function touchHeartbeat(path: string): void {
  // O_NONBLOCK and O_NOFOLLOW: whatever an agent put there, the beat neither waits for it nor writes elsewhere.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW
  const file = openSync(path, flags, 0o644)
  try {
    const now = new Date()
    futimesSync(file, now, now)
  } finally {
    closeSync(file)
  }
}
