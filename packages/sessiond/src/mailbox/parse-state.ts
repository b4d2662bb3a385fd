import { PROTOCOL_LIMITS, parseOpenWork, parseTimestamp } from '@sessiond/protocol'
import type { SeenState } from './mailbox.ts'
import { plainText, type Row, wholeNumber } from './parsed.ts'

/** No declared time of a tool counts for more; policies clamp further. */
const MAX_TOOL_MS = 7 * 24 * 60 * 60 * 1000

/** Clamps the row of `container_state` to figures a decision can use. */
export function parseState(row: Row): SeenState {
  return {
    tool: plainText(row.current_tool)?.slice(0, PROTOCOL_LIMITS.toolNameChars) ?? null,
    toolDeclaredTimeoutMs: wholeNumber(row.tool_declared_timeout_ms, MAX_TOOL_MS),
    toolExpectedMs: wholeNumber(row.tool_expected_ms, MAX_TOOL_MS),
    toolStartedAtMs: parseTimestamp(row.tool_started_at) ?? null,
    progressSeq: wholeNumber(row.progress_seq),
    openWork: parseOpenWork(plainText(row.open_work)),
  }
}
