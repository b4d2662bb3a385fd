/**
 * Calls tools of the MCP server that SESSIOND_MCP names, one after the other, and prints what each answers as a line of
 * JSON. Told what to call by its argument: `[[name, parameters], …]`; `$task` in a parameter stands for the first task of
 * the answer before.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [command = '', ...args] = JSON.parse(process.env.SESSIOND_MCP ?? '[]') as string[]
const calls = JSON.parse(process.argv[2] ?? '[]') as [string, Record<string, unknown>][]

const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? '']))
const client = new Client({ name: 'test', version: '1' })
await client.connect(new StdioClientTransport({ command, args, env }))
let task = ''
for (const [name, parameters] of calls) {
  const given = JSON.parse(JSON.stringify(parameters).replaceAll('$task', task)) as Record<string, unknown>
  const { content, isError } = await client.callTool({ name, arguments: given })
  const [said] = content as { readonly text: string }[]
  task = /Task (\S+?)[: ]/.exec(said?.text ?? '')?.[1] ?? task
  console.log(JSON.stringify({ name, isError: isError === true, text: said?.text }))
}
await client.close()
