import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CONTAINER_PATHS, PROTOCOL_VERSION, RUN_ENV } from '@sessiond/protocol'
import { FileRequests } from '../requests/file-requests.ts'
import { realRunnerWorld } from '../world.ts'
import { createServer } from './create-server.ts'

// MCP clients hand on little of their environment: in a container the places are known without it.
const { [RUN_ENV.in]: inDir = CONTAINER_PATHS.in, [RUN_ENV.out]: outDir = CONTAINER_PATHS.out } = process.env
const epoch = Number(process.env[RUN_ENV.epoch])

const requests = new FileRequests({
  inDir,
  outDir,
  epoch: Number.isSafeInteger(epoch) && epoch > 0 ? epoch : null,
  world: realRunnerWorld,
  // stdout is the protocol's.
  log: (line) => process.stderr.write(`${line}\n`),
})
const server = createServer(requests, String(PROTOCOL_VERSION))
const transport = new StdioServerTransport()
// Its client is gone, and with it whoever waits for answers; what was asked is on disk.
process.stdin.on('end', () => process.exit(0))
await server.connect(transport)
