import type { NewMessage } from '../../src/model/message.ts'

/** A message due at once. */
export function newMessage(id: string, sessionId = 'g/main', changes: Partial<NewMessage> = {}): NewMessage {
  return {
    id,
    sessionId,
    group: sessionId.slice(0, sessionId.indexOf('/')),
    kind: 'chat',
    content: '{"text":"hello"}',
    processAfterMs: 1_000,
    trigger: true,
    onWake: false,
    address: { platformId: null, channelType: null, threadId: null },
    sourceSessionId: null,
    seriesId: null,
    ...changes,
  }
}
