import { messageOf } from '@sessiond/testkit'
import { expect, it } from 'vitest'
import type { Reply } from '../../model/reply.ts'
import { describeReplies } from './message.ts'

const reply: Reply = {
  id: 'r1',
  sessionId: 'g/s',
  group: 'g',
  epoch: 1,
  seq: 1,
  inReplyTo: 'm1',
  kind: 'chat',
  content: '{"text":"yes"}',
  createdAtMs: 0,
  deliverAfterMs: 0,
  address: { platformId: null, channelType: null, threadId: null },
}
const asked = messageOf('m1', 2, { content: JSON.stringify({ text: 'shall we go\u001b[2J to lunch at one?' }) })

it.each<[string, Partial<Reply>, string]>([
  ['the beginning of what it answers, harmless', {}, 'm1 "shall we go\\e[2J to lunch…"'],
  ['the id of a message that is not at hand', { inReplyTo: 'm2' }, 'm2  '],
  ['nothing, said on the way', { inReplyTo: null }, '-  '],
  ['the host, which speaks for itself', { inReplyTo: null, epoch: null }, 'from the host  '],
])('a reply shows %s', (_, change, shown) => {
  expect(describeReplies([{ ...reply, ...change }], [asked], 0)).toContain(`r1     ${shown}`)
})
