import type { Reporter, TestModule } from 'vitest/node'
import { NEEDS_ENGINE, NEEDS_PYTHON } from './needs.ts'

const REASONS: readonly (readonly [mark: string, why: string])[] = [
  [NEEDS_ENGINE, 'no container engine answers'],
  [NEEDS_PYTHON, 'there is no python3'],
]

/** Ends a test run with the suites that were left out, a line a reason, and with a plain line of figures. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    for (const [mark, why] of REASONS) {
      const leftOut = modules.flatMap((module) => suitesLeftOut(module, mark))
      if (leftOut.length > 0) console.log(`Left out, as ${why}: ${leftOut.join(', ')}`)
    }
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    // A file that cannot be loaded has no tests to fail.
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandled.length
    console.log(`${count('passed')} passed, ${count('failed') + broken} failed`)
  }
}

function suitesLeftOut(module: TestModule, mark: string): string[] {
  return [...module.children.allSuites()]
    .filter((suite) => suite.name.endsWith(mark) && suite.state() === 'skipped')
    .map((suite) => suite.name.slice(0, -mark.length).trim())
}
