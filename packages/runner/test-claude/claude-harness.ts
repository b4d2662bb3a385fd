import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModelScript, type ModelServer, startModelServer } from '@sessiond/testkit/model-server'
import { inject } from 'vitest'
import { type ClaudeAgentOptions, claudeAgent } from '../src/agents/claude/index.ts'
import { FakeContext } from '../test/fake-context.ts'

/** Names every process that a harness has started, whatever became of its parents. */
const MARK = 'SESSIOND_TEST_HARNESS'

export interface LivingProcess {
  readonly pid: number
  readonly program: string
}

/** The real SDK against a scripted model, in a workspace of its own. */
export class ClaudeHarness {
  readonly workDir = mkdtempSync(join(tmpdir(), 'sessiond-claude-'))
  readonly state = new Map<string, string>()
  readonly server: ModelServer
  readonly #mark = `${process.pid}-${Math.random().toString(36).slice(2)}`
  readonly #agents: AsyncDisposable[] = []

  private constructor(server: ModelServer) {
    this.server = server
  }

  static async start(script: ModelScript): Promise<ClaudeHarness> {
    return new ClaudeHarness(await startModelServer(script))
  }

  options(changes: ClaudeAgentOptions = {}): ClaudeAgentOptions {
    return {
      sdk: inject('claudeSdk'),
      permissionMode: 'bypassPermissions',
      ...changes,
      env: {
        HOME: this.workDir,
        ANTHROPIC_BASE_URL: this.server.url,
        ANTHROPIC_API_KEY: 'any',
        IS_SANDBOX: '1',
        [MARK]: this.#mark,
        ...changes.env,
      },
    }
  }

  agent(changes: ClaudeAgentOptions = {}): ReturnType<typeof claudeAgent> {
    const agent = claudeAgent(this.options(changes))
    this.#agents.push(agent)
    return agent
  }

  context(text: string): FakeContext {
    return new FakeContext({ workDir: this.workDir, text, state: this.state })
  }

  /** Hands one message to an agent. */
  async ask(agent: ReturnType<typeof claudeAgent>, context: FakeContext): Promise<string | undefined> {
    return (await agent([context.message], context)) ?? undefined
  }

  /** The texts of a turn's question, oldest first, without what the SDK adds of its own and without the times told. */
  asked(index: number): string[] {
    const messages = this.server.turns.at(index)?.body?.messages ?? []
    const spoken = messages.filter(({ role }) => role === 'user' || role === 'assistant')
    return spoken
      .flatMap(({ content }) => textsOf(content))
      .filter((text) => !text.startsWith('<'))
      .map(withoutTimes)
  }

  /** Processes of this harness that are alive. Knows Linux only. */
  async living(): Promise<LivingProcess[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const programs = await Promise.all(pids.map((pid) => this.#programOf(pid)))
    return pids.flatMap((pid, index) => {
      const program = programs[index] ?? null
      return program === null ? [] : [{ pid: Number(pid), program }]
    })
  }

  /** Ends everything; what has to be told of processes that stayed behind is returned. */
  async close(): Promise<LivingProcess[]> {
    await Promise.all(this.#agents.map((agent) => agent[Symbol.asyncDispose]()))
    await this.server.close()
    const left = await this.living()
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    rmSync(this.workDir, { recursive: true, force: true })
    return left
  }

  async #programOf(pid: string): Promise<string | null> {
    try {
      // A zombie's environment reads as empty.
      const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
      if (!environment.includes(`${MARK}=${this.#mark}`)) return null
      return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim()
    } catch {
      // Ended meanwhile, or another user's.
      return null
    }
  }
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: { readonly text?: unknown }) => (typeof block.text === 'string' ? [block.text] : []))
}

function withoutTimes(text: string): string {
  return text.replace(/^Time zone: .*\n\n(?:\[[^\]]*\] )?/, '')
}
