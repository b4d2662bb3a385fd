/**
 * Lets the runner go on when whoever read its output has died: the host may come back and find the work done. Only
 * the output is lost, and only until then.
 */
export function surviveBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ENOSPC') throw error
    })
  }
}
