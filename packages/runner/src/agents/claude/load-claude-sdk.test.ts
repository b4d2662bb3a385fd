import { describe, expect, it } from 'vitest'
import { RunnerError } from '../../errors.ts'
import { loadClaudeSdk } from './load-claude-sdk.ts'

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`

async function failureOf(specifier: string): Promise<unknown> {
  return loadClaudeSdk(specifier).catch((error: unknown) => error)
}

describe('loadClaudeSdk', () => {
  it('says how to get the SDK when it is not installed', async () => {
    // Not the SDK's own name: the tests' bundler puts something in the place of a peer that is optional.
    const error = await failureOf('@sessiond/no-such-sdk')
    expect(error).toBeInstanceOf(RunnerError)
    expect((error as RunnerError).code).toBe('BAD_CONFIGURATION')
    expect((error as RunnerError).message).toContain('npm install @anthropic-ai/claude-agent-sdk')
  })

  it('says what is wrong with an SDK that cannot be loaded, or is none', async () => {
    expect(String(await failureOf(moduleOf('throw new Error("too old a machine")')))).toContain('too old a machine')
    expect(String(await failureOf(moduleOf('export const other = 1')))).toContain('has no query()')
  })

  it('loads one that has what it takes', async () => {
    expect(typeof (await loadClaudeSdk(moduleOf('export function query() {}'))).query).toBe('function')
  })
})
