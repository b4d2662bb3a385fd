/** An MCP server on its standard streams with one tool, `ask`, that is never answered. */
import { createInterface } from 'node:readline'

interface McpRequest {
  readonly id?: number | string
  readonly method: string
  readonly params?: { readonly protocolVersion?: string }
}

const TOOL = { name: 'ask', description: 'Asks somebody who is not there.', inputSchema: { type: 'object' } }

function answerTo({ method, params }: McpRequest): object | null {
  if (method === 'initialize') {
    const { protocolVersion = '2025-06-18' } = params ?? {}
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'mute', version: '1' } }
  }
  if (method === 'tools/list') return { tools: [TOOL] }
  return method === 'tools/call' ? null : {}
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as McpRequest
  const result = answerTo(request)
  if (request.id !== undefined && result !== null) {
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result })}\n`)
  }
}
