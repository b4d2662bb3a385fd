import { processContext } from './process-context.ts'
import { runCli } from './run-cli.ts'

await runCli(process.argv.slice(2), processContext())
// A configuration may leave timers and sockets behind that would keep a finished command for ever.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
