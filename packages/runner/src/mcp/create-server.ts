import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { describeError } from '../errors.ts'
import type { HostRequests } from '../requests/host-requests.ts'
import { REQUEST_TOOLS } from './tools.ts'

/** A host answers within milliseconds; one that is being restarted takes seconds. */
const WAIT_MS = 30_000

const NO_ANSWER =
  'The host has not answered yet. The request stands and is carried out as soon as it can be: look with list_tasks before you ask again.'

/** The MCP server of one run: its tools ask the host, which decides; nothing is decided here. */
export function createServer(requests: HostRequests, version: string, waitMs = WAIT_MS): McpServer {
  const server = new McpServer({ name: 'sessiond', version })
  for (const { name, title, description, parameters, isReadOnly } of REQUEST_TOOLS) {
    const annotations = { readOnlyHint: isReadOnly, openWorldHint: false }
    server.registerTool(name, { title, description, inputSchema: parameters, annotations }, (input, { signal }) =>
      resultOf(async () => {
        const answer = await requests.ask({ ...input, action: name }, waitMs, signal)
        return { text: answer?.text ?? NO_ANSWER, isError: answer?.status !== 'ok' }
      }),
    )
  }
  const send = {
    title: 'Send a message to the user',
    description:
      'Sends the user a message at once, where they are talking to you, while you go on working. What you say at the end of your turn reaches them by itself.',
    inputSchema: { text: z.string().min(1).describe('What the user reads.') },
    annotations: { readOnlyHint: false, openWorldHint: false },
  }
  server.registerTool('send_message', send, ({ text }) =>
    resultOf(async () => {
      await requests.say(text)
      return { text: 'Sent.', isError: false }
    }),
  )
  return server
}

async function resultOf(work: () => Promise<{ text: string; isError: boolean }>): Promise<CallToolResult> {
  try {
    const { text, isError } = await work()
    return { content: [{ type: 'text', text }], isError }
  } catch (error) {
    return { content: [{ type: 'text', text: describeError(error) }], isError: true }
  }
}
