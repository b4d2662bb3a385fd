import type { StuckPolicy } from '../config/config.ts'

/** How long a tool that declared nothing may be silent. */
export interface ToolPolicy {
  /** While it neither computes nor transfers. */
  readonly silentMs: number
  /** While it does. */
  readonly ceilingMs: number
  /** While nobody can say. */
  readonly blindMs: number
}

/** What holds for a tool of this name: the first override whose pattern fits, over what holds for all. */
export function toolPolicyOf(policy: StuckPolicy, name: string): ToolPolicy {
  const own = policy.tools.find(({ pattern }) => fits(pattern, name))
  return {
    silentMs: own?.silentMs ?? policy.toolSilentMs,
    ceilingMs: own?.busyCeilingMs ?? policy.busyCeilingMs,
    // Whoever allows a tool more silence than usual means it where nobody can look inside, too.
    blindMs: Math.max(policy.toolBlindMs, own?.silentMs ?? 0),
  }
}

/** `*` stands for any text; all else, case included, for itself. Takes time by the length of name times pattern, at most. */
function fits(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const tail = rest.pop() ?? ''
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false
  let at = head.length
  const end = name.length - tail.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
