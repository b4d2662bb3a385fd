import type { OpenTool, OpenWork } from '@sessiond/protocol'
import type { SeenState } from '../mailbox/mailbox.ts'
import type { ClockMove } from './run-clocks.ts'

const NOTHING_OPEN: OpenWork = { tools: [], wait: null }

/** What has moved between two looks at what a run says of itself. That a figure changed counts, not which way. */
export function movesBetween(before: SeenState | null, after: SeenState): ClockMove[] {
  const progress: ClockMove[] = (before?.progressSeq ?? 0) === (after.progressSeq ?? 0) ? [] : [{ clock: 'progress' }]
  const [was, is] = [before?.openWork ?? NOTHING_OPEN, after.openWork ?? NOTHING_OPEN]
  return [...progress, ...toolMoves(was, is), ...waitMoves(was, is)]
}

function toolMoves(was: OpenWork, is: OpenWork): ClockMove[] {
  const known = new Map(was.tools.map((tool) => [tool.id, tool]))
  const open = new Set(is.tools.map(({ id }) => id))
  const ended = was.tools.filter(({ id }) => !open.has(id)).map(({ id }) => ({ clock: 'tool-end', id }) as const)
  const begun = is.tools
    .filter((tool) => !isSame(known.get(tool.id), tool))
    .map((tool) => ({ clock: 'tool', tool }) as const)
  return [...ended, ...begun]
}

/** A runner that began anew inside its container numbers its tools anew. */
function isSame(known: OpenTool | undefined, tool: OpenTool): boolean {
  return known?.renewals === tool.renewals && known.name === tool.name && known.timeoutMs === tool.timeoutMs
}

function waitMoves(was: OpenWork, is: OpenWork): ClockMove[] {
  if (is.wait === null) return was.wait === null ? [] : [{ clock: 'wait-end' }]
  const { seq, reason, forMs, pings } = is.wait
  if (was.wait?.seq !== seq) return [{ clock: 'wait', wait: { reason, forMs } }]
  return was.wait.pings === pings ? [] : [{ clock: 'ping' }]
}
