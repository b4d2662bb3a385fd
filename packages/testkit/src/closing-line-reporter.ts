import type { Reporter, TestModule } from 'vitest/node'
import { NEEDS_ENGINE } from './needs-engine.ts'

/** Ends a test run with the suites that were left out, in one line, and with a plain line of figures. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const leftOut = modules.flatMap((module) => suitesLeftOut(module))
    if (leftOut.length > 0) console.log(`Left out, as no container engine answers: ${leftOut.join(', ')}`)
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    // A file that cannot be loaded has no tests to fail.
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandled.length
    console.log(`${count('passed')} passed, ${count('failed') + broken} failed`)
  }
}

function suitesLeftOut(module: TestModule): string[] {
  return [...module.children.allSuites()]
    .filter((suite) => suite.name.endsWith(NEEDS_ENGINE) && suite.state() === 'skipped')
    .map((suite) => suite.name.slice(0, -NEEDS_ENGINE.length).trim())
}
