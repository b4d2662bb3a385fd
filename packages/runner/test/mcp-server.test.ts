import { createRequire } from 'node:module'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { REQUEST_ACTIONS } from '@sessiond/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HostSide, untilTrue } from './host-side.ts'

let host: HostSide
let client: Client

beforeEach(async () => {
  host = new HostSide()
  host.grant(1)
  client = new Client({ name: 'test', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', createRequire(import.meta.url).resolve('@sessiond/runner/mcp')],
      env: { SESSIOND_IN: host.inDir, SESSIOND_OUT: host.outDir, SESSIOND_EPOCH: '1' },
    }),
  )
})

afterEach(async () => {
  await client.close()
  host.remove()
})

describe('the MCP server, asked by a real client', () => {
  it('offers a tool for every request, and one to send a message', async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([...REQUEST_ACTIONS, 'send_message'])
    for (const { description, inputSchema } of tools) {
      expect(description?.length).toBeGreaterThan(20)
      expect(inputSchema.type).toBe('object')
    }
    expect(client.getServerVersion()).toMatchObject({ name: 'sessiond' })
  })

  it('hands a request on as it is, and its answer back', async () => {
    const called = client.callTool({
      name: 'schedule_task',
      arguments: { text: 'water the plants', at: 'tomorrow 9:00' },
    })
    expect(await host.answerNth(1, 'ok', 'Task t-r1: once.')).toEqual({
      action: 'schedule_task',
      text: 'water the plants',
      at: 'tomorrow 9:00',
    })
    expect(await called).toMatchObject({ content: [{ type: 'text', text: 'Task t-r1: once.' }], isError: false })
  })

  it('tells a refusal as an error of the tool, and wrong arguments without asking the host', async () => {
    const called = client.callTool({ name: 'cancel_task', arguments: { task: 't-other' } })
    await host.answerNth(1, 'refused', 'There is no task "t-other" in this session.')
    expect(await called).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('no task') }] })
    expect(await client.callTool({ name: 'cancel_task', arguments: {} })).toMatchObject({ isError: true })
    expect(host.replies()).toHaveLength(1)
  })

  it('cannot be made to ask for something else', async () => {
    const called = client.callTool({ name: 'list_tasks', arguments: { action: 'cancel_task', task: 't-1' } })
    expect(await host.answerNth(1, 'ok', 'There are no tasks in this session.')).toEqual({ action: 'list_tasks' })
    await called
  })

  it('sends a message to the user at once', async () => {
    expect(await client.callTool({ name: 'send_message', arguments: { text: 'halfway' } })).toMatchObject({
      isError: false,
    })
    expect(host.texts()).toEqual(['halfway'])
  })

  it('ends with its client', async () => {
    const { pid } = client.transport as StdioClientTransport
    await client.close()
    await untilTrue(() => !isAlive(pid ?? 0))
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
