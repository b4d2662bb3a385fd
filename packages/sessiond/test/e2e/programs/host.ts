// A host in a process of its own: says in one line of JSON that it is up, or why not, and runs until it is ended.
import type { HostOptions } from '../../../src/config/options.ts'
import { createHost } from '../../../src/create-host.ts'
import { SessiondError } from '../../../src/model/errors.ts'

try {
  const host = createHost(JSON.parse(process.argv[2] ?? '') as HostOptions)
  await host.start()
  process.on('SIGTERM', () => void host.stop().then(() => process.exit(0)))
  console.log(JSON.stringify({ apiUrl: host.apiUrl }))
} catch (error) {
  if (!(error instanceof SessiondError)) throw error
  console.log(JSON.stringify({ code: error.code, message: error.message }))
}
