import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['sessiond-source'] },
  ssr: { resolve: { conditions: ['sessiond-source'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=sessiond-source'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './packages/testkit/src/closing-line-reporter.ts'],
  },
})
