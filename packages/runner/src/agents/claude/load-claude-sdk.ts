import { describeError, RunnerError } from '../../errors.ts'
import type { ClaudeSdk } from './claude-sdk.ts'

export const CLAUDE_SDK = '@anthropic-ai/claude-agent-sdk'

/** Loads the SDK on first use; a run that never needs it does without. */
export async function loadClaudeSdk(specifier: string = CLAUDE_SDK): Promise<ClaudeSdk> {
  const module = await importSdk(specifier)
  if (typeof module.query !== 'function') {
    throw new RunnerError('BAD_CONFIGURATION', `${specifier} has no query(): install ${CLAUDE_SDK} 0.3 or a later 0.x`)
  }
  return module as ClaudeSdk
}

async function importSdk(specifier: string): Promise<Partial<ClaudeSdk>> {
  try {
    // A variable keeps compilers and bundlers from looking for what may not be there.
    return (await import(specifier)) as Partial<ClaudeSdk>
  } catch (error) {
    if (!isMissing(error, specifier)) {
      throw new RunnerError('BAD_CONFIGURATION', `cannot load ${specifier}: ${describeError(error)}`, error)
    }
    throw new RunnerError(
      'BAD_CONFIGURATION',
      `the Claude Agent SDK is not installed: run "npm install ${CLAUDE_SDK}" where the agent is installed`,
      error,
    )
  }
}

/** The SDK itself is not there; what it needs may be missing too, which is another cure. */
function isMissing(error: unknown, specifier: string): boolean {
  const isNotFound = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
  return isNotFound && error.message.includes(specifier)
}
