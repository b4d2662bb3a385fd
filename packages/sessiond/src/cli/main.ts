import { processContext } from './process-context.ts'
import { runCli } from './run-cli.ts'

await runCli(process.argv.slice(2), processContext())
