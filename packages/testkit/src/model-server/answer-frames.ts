import type { ToolCall } from './model-script.ts'

/** One piece of an answer's content, in the Messages API's words. */
export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: ToolCall['input'] }

export interface AnswerHead {
  readonly id: string
  readonly model: string
}

/** A stream's event as it goes over the wire. */
export function frame(type: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

export function startFrame(head: AnswerHead): string {
  return frame('message_start', { message: { ...message(head, []), stop_reason: null } })
}

/** A block from its start to its stop. */
export function blockFrames(index: number, block: ContentBlock): string {
  const { opened, deltas } = inPieces(block)
  return [
    frame('content_block_start', { index, content_block: opened }),
    ...deltas.map((delta) => frame('content_block_delta', { index, delta })),
    frame('content_block_stop', { index }),
  ].join('')
}

export function endFrames(blocks: readonly ContentBlock[]): string {
  const delta = { stop_reason: stopReason(blocks), stop_sequence: null }
  return frame('message_delta', { delta, usage: { output_tokens: 1 + blocks.length } }) + frame('message_stop')
}

/** The whole answer, for those who do not stream. */
export function message(head: AnswerHead, blocks: readonly ContentBlock[]): Readonly<Record<string, unknown>> {
  return {
    ...head,
    type: 'message',
    role: 'assistant',
    content: blocks,
    stop_reason: stopReason(blocks),
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 1 + blocks.length },
  }
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

export function errorBody(status: number, text?: string): Readonly<Record<string, unknown>> {
  const type = ERROR_TYPES[status] ?? 'api_error'
  return { type: 'error', error: { type, message: text ?? `scripted ${type}` } }
}

function stopReason(blocks: readonly ContentBlock[]): string {
  return blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
}

function inPieces(block: ContentBlock): { readonly opened: object; readonly deltas: readonly object[] } {
  switch (block.type) {
    case 'text':
      return { opened: { type: 'text', text: '' }, deltas: [{ type: 'text_delta', text: block.text }] }
    case 'thinking':
      return {
        opened: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: block.thinking },
          { type: 'signature_delta', signature: block.signature },
        ],
      }
    case 'tool_use':
      return {
        opened: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }],
      }
  }
}
