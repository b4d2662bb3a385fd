import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['sessiond-source'] },
  ssr: { resolve: { conditions: ['sessiond-source'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts'],
    pool: 'forks',
    // Two files at a time on a machine of two cores: most tests wait for processes and engines, not for the processor.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=sessiond-source'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One dot a test where nobody watches; failures are told in full either way.
    reporters: [process.env.CI === 'true' ? 'dot' : 'default', './packages/testkit/src/closing-line-reporter.ts'],
  },
})
