/** Longest error kept in a row or a journal line, in characters. */
const ERROR_CHARS = 500

/** Cuts what an agent or a sink said of a failure to what the store keeps of it. */
export function boundedError(error: string): string
export function boundedError(error: string | null): string | null
export function boundedError(error: string | null): string | null {
  if (error === null || error.length <= ERROR_CHARS) return error
  return `${error.slice(0, ERROR_CHARS - 1)}…`
}
