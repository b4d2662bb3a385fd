import { toSafeJson } from '../model/escape.ts'
import type { CliContext, CommonOptions } from './cli-context.ts'

/** Prints a command's result: one line of JSON for programs, or the words for people. */
export function printResult(context: CliContext, options: CommonOptions, value: unknown, words: () => string): void {
  context.out(options.json === true ? `${toSafeJson(value)}\n` : words())
}
