import { commandAgent } from './agents/command-agent.ts'
import { parseAgentSpec } from './agents/parse-agent-spec.ts'
import { runProgram } from './run-program.ts'

await runProgram({ prepare: (environment) => commandAgent(parseAgentSpec(environment.agentJson), environment) })
