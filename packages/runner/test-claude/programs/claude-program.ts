/** A group's own program on the Claude Agent SDK, as anybody would write it. */
import { claudeAgent } from '../../src/agents/claude/index.ts'
import { runAgent } from '../../src/index.ts'

const sdk = process.env.TEST_CLAUDE_SDK
await runAgent(claudeAgent({ permissionMode: 'bypassPermissions', ...(sdk === undefined ? {} : { sdk }) }))
