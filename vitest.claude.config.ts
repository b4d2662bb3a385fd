import { defineConfig } from 'vitest/config'

/** The suite that runs the real Claude Agent SDK: large, so that it is installed on demand and left out of `npm test`. */
export default defineConfig({
  resolve: { conditions: ['sessiond-source'] },
  ssr: { resolve: { conditions: ['sessiond-source'] } },
  test: {
    include: ['packages/runner/test-claude/**/*.test.ts'],
    globalSetup: ['./packages/runner/test-claude/install-claude-sdk.ts'],
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=sessiond-source'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [process.env.CI === 'true' ? 'dot' : 'default', './packages/testkit/src/closing-line-reporter.ts'],
  },
})
